"""Several options in one line, each ticked or not. Enter is left to the dialog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.drawing import colours
from tui.explorer.widgets.option_line import OptionLine


class TickRow(OptionLine):
    """A line of options; ``ticked`` has the numbers of those that are ticked."""

    HELP = "Left and right move, space ticks, up and down go to another line, enter confirms the dialog."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "the one before", show=False),
        Binding("right", "move(1)", "the next one", show=False),
        Binding("space", "tick", "tick", show=False),
        Binding("enter", "screen.start", "start", show=False),
    ]

    class Changed(Message):
        """Another option is ticked, or one no longer is."""

    def __init__(self, options: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(options, id=id)
        self.ticked = frozenset(range(len(options)))

    def action_move(self, direction: int) -> None:
        self.cursor = (self.cursor + direction) % len(self._options)
        self.refresh()

    def action_tick(self) -> None:
        self.picked(self.cursor)

    def picked(self, number: int) -> None:
        """Move the cursor to an option, and tick it or take the tick away."""
        self.cursor = number
        self.ticked ^= {number}
        self.post_message(self.Changed())
        self.refresh()

    def part(self, number: int) -> Content:
        """Return an option with its tick."""
        ticked = number in self.ticked
        text = f"[{'x' if ticked else ' '}] {self._options[number]}"
        if self.has_focus and number == self.cursor:
            return Content.styled(text, colours.CURSOR)
        return Content.styled(text, colours.STRONG if ticked else colours.QUIET)
