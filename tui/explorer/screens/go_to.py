"""The line that asks for a layer by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from core.coalitions.players import Player
from core.errors import CornerstoneError
from tui.drawing.plain import plain
from tui.explorer.find_player import find_player


class GoToDialog(ModalScreen[int | None]):
    """Its result is the number of the player that was named; None if the user changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    DEFAULT_CSS = """
    GoToDialog {
        align: center middle;
        & > Vertical {
            width: 56; max-width: 100%; height: auto; padding: 0 1;
            background: $surface; border: round $primary;
        }
        Static { height: auto; color: $text-muted; }
        Static.-wrong { color: $text-error; }
    }
    """

    def __init__(self, players: Sequence[Player], near: int) -> None:
        super().__init__()
        self._players = players
        self._near = near

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Go to a layer"
            box.border_subtitle = "enter goes there, esc closes"
            yield Input(placeholder="FFN 11, attn 3, 11", compact=True)
            yield Static(f"{self._players[0].label} to {self._players[-1].label}", markup=False)

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        self._say(event.value)

    @on(Input.Submitted)
    def _go(self, event: Input.Submitted) -> None:
        found = self._say(event.value)
        if found is not None:
            self.dismiss(found)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _say(self, written: str) -> int | None:
        """Show which player is named, or why none is."""
        found, said = None, f"{self._players[0].label} to {self._players[-1].label}"
        try:
            found = find_player(written, self._players, self._near) if written.strip() else None
        except CornerstoneError as error:
            said = str(error)
        line = self.query_one(Static)
        line.update(plain(said) if found is None else f"→ {self._players[found].label}")
        line.set_class(found is None and bool(written.strip()), "-wrong")
        return found
