"""The base of the explorer's own screens: the context above, the keys below, and between them what a screen shows."""

from __future__ import annotations

from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen

from tui.explorer.port import ExplorerPort
from tui.explorer.screens.find_text import FindDialog
from tui.explorer.widgets.context_line import ContextLine
from tui.explorer.widgets.key_footer import KeyFooter
from tui.explorer.widgets.text_pane import TextPane


class ExplorerScreen(Screen[None]):
    """A screen that asks the explorer for its state, and through it the evaluator for work."""

    DEFAULT_CSS = """
    ExplorerScreen > .body { height: 1fr; padding: 0 1; }
    """

    def compose(self) -> ComposeResult:
        yield ContextLine()
        with Vertical(classes="body"):
            yield from self.body()
        yield KeyFooter()

    def body(self) -> ComposeResult:
        """Yield what stands between the first line and the last."""
        raise NotImplementedError

    def look_again(self) -> None:
        """Read the store again, because a job has ended; what is shown stays until that is done."""

    @on(TextPane.Sought)
    def _seek(self, message: TextPane.Sought) -> None:
        self.app.push_screen(FindDialog(message.pane))

    @property
    def explorer(self) -> ExplorerPort:
        """Return the app that opened this screen."""
        return cast("ExplorerPort", self.app)
