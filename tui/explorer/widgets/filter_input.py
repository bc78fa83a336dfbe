"""The line in which a filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterInput(Input):
    """Narrows what another widget shows; enter and down go back there, escape drops the filter too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "drop the filter"),
        Binding("enter,down", "leave", "to the rows"),
    ]

    DEFAULT_CSS = """
    FilterInput { background: transparent; }
    FilterInput:focus { background-tint: $foreground 5%; }
    """

    class Left(Message):
        """Whoever typed is done."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's word
        super().__init__(placeholder="/ filter", compact=True, id=id)

    def action_drop(self) -> None:
        self.value = ""
        self.post_message(self.Left())

    def action_leave(self) -> None:
        self.post_message(self.Left())
