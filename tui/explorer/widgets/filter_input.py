"""The input line for a filter."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterInput(Input):
    """Filters the rows of another widget. Enter and down go back to the rows; escape also clears the filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "drop the filter"),
        Binding("enter,down", "leave", "to the rows"),
    ]

    DEFAULT_CSS = """
    FilterInput { background: transparent; }
    FilterInput:focus { background-tint: $foreground 5%; }
    """

    class Left(Message):
        """The user has left the input."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's word
        super().__init__(placeholder="/ filter", compact=True, id=id)

    def action_drop(self) -> None:
        self.value = ""
        self.post_message(self.Left())

    def action_leave(self) -> None:
        self.post_message(self.Left())
