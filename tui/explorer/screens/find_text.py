"""The line that asks what is to be found in a text. What is typed is marked at once."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from tui.drawing.numbers import whole
from tui.explorer.widgets.text_pane import TextPane

_KEYS: Final = "enter, then n and N go on"


class FindDialog(ModalScreen[None]):
    """Stands in the last line, so that the text above can be read meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "drop", show=False),
        Binding("down", "go(1)", "next", show=False),
        Binding("up", "go(-1)", "before", show=False),
    ]
    DEFAULT_CSS = """
    FindDialog {
        background: transparent;
        Horizontal { dock: bottom; height: 1; background: $panel; }
        Label { padding: 0 1; text-style: bold; }
        Input { width: 30; background: $panel; }
        #said { width: 1fr; color: $text-muted; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def __init__(self, pane: TextPane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("find")
            yield Input(compact=True, select_on_focus=False)
            yield Static(_KEYS, id="said", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        self._pane.seek(event.value)
        self._count()

    def _count(self) -> None:
        at, many = self._pane.found
        said = f"{whole(at)} of {whole(many)}   {_KEYS}" if many else "it is not there"
        self.query_one("#said", Static).update(said if self.query_one(Input).value.strip() else _KEYS)

    def action_go(self, by: int) -> None:
        if by > 0:
            self._pane.action_next_match()
        else:
            self._pane.action_previous_match()
        self._count()

    @on(Input.Submitted)
    def _keep(self) -> None:
        self.dismiss()

    def action_drop(self) -> None:
        self._pane.mark("")
        self.dismiss()
