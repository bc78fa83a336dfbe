"""The dialog that chooses one of the things that are compared. Typing finds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.drawing.plain import plain
from tui.explorer.actions import PICK, bindings
from tui.explorer.compare.view import Side
from tui.explorer.widgets.choice_list import ChoiceList


class PickDialog(ModalScreen[str | None]):
    """Its result is the key of a side; None if the user changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("pick", PICK)]
    AUTO_FOCUS = "Input"

    DEFAULT_CSS = """
    PickDialog {
        align: center middle;
        & > Vertical {
            width: 78; max-width: 100%; height: auto; max-height: 90%; padding: 0 1;
            background: $surface; border: round $primary; border-title-color: $foreground;
        }
        ChoiceList { height: auto; max-height: 20; }
    }
    """

    def __init__(self, title: str, sides: Sequence[Side]) -> None:
        super().__init__()
        self._title = title
        self._sides = tuple(sides)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "type to find, enter chooses, esc cancels"
            yield Input(placeholder="part of a name", compact=True)
            yield ChoiceList(markup=False)

    def on_mount(self) -> None:
        self._find()

    @on(Input.Changed)
    def _find(self) -> None:
        """List the sides whose name has every word that was typed."""
        words = self.query_one(Input).value.casefold().split()
        found = [side for side in self._sides if all(word in side.name.casefold() for word in words)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(plain(side.name), id=str(self._sides.index(side))) for side in found])
        options.highlighted = 0 if found else None

    def action_mark_above(self) -> None:
        self._mark(-1)

    def action_mark_below(self) -> None:
        self._mark(1)

    def _mark(self, rows: int) -> None:
        """Move the mark, while the focus stays in the field."""
        options = self.query_one(OptionList)
        if options.option_count and options.highlighted is not None:
            options.highlighted = max(0, min(options.highlighted + rows, options.option_count - 1))

    @on(Input.Submitted)
    def action_choose(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._end(options.get_option_at_index(options.highlighted))

    @on(OptionList.OptionSelected)
    def _choose_by_click(self, event: OptionList.OptionSelected) -> None:
        self._end(event.option)

    def _end(self, option: Option) -> None:
        self.dismiss(self._sides[int(option.id or 0)].key)

    def action_cancel(self) -> None:
        self.dismiss(None)
