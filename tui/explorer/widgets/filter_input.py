"""The input line for a filter."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from tui.explorer.actions import FILTER, bindings
from tui.explorer.filtering import GRAMMAR


class FilterInput(Input):
    """Filters the rows of another widget. Enter and down go back to the rows; escape also clears the filter."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter", FILTER)]

    DEFAULT_CSS = """
    FilterInput { background: transparent; }
    FilterInput:focus { background-tint: $foreground 5%; }
    """

    class Left(Message):
        """The user has left the input."""

    HELP = f"Write {GRAMMAR}. enter goes to the rows, esc drops the filter."

    def __init__(self, text: str = "", *, id: str, hint: str = "/ filter, or drop > .2") -> None:  # noqa: A002 Textual's word
        super().__init__(text, placeholder=hint, compact=True, id=id, select_on_focus=False)

    def action_drop(self) -> None:
        self.value = ""
        self.post_message(self.Left())

    def action_leave(self) -> None:
        self.post_message(self.Left())
