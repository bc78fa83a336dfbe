"""A choice among a few options in one line. The arrow keys choose at once; enter is left to the dialog."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.style import Style

from tui.drawing import colours
from tui.explorer.widgets.option_line import OptionLine


class Choice(OptionLine):
    """A line of options, of which the one under the cursor is chosen."""

    HELP = "Left and right choose, up and down go to another line, enter confirms the dialog."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", "the one before", show=False),
        Binding("right,space", "choose(1)", "the next one", show=False),
        Binding("enter", "screen.start", "start", show=False),
    ]

    class Changed(Message):
        """Another option is chosen."""

    @property
    def chosen(self) -> int:
        """The number of the chosen option."""
        return self.cursor

    def picked(self, number: int) -> None:
        """Choose an option by its number; the first follows the last."""
        self.cursor = number % len(self._options)
        self.post_message(self.Changed())
        self.refresh()

    def action_choose(self, direction: int) -> None:
        self.picked(self.chosen + direction)

    def part(self, number: int) -> Content:
        """Return an option with its mark."""
        if number != self.chosen:
            return Content.styled(f"○ {self._options[number]}", colours.QUIET)
        look: Style = colours.CURSOR if self.has_focus else colours.STRONG
        return Content.styled(f"● {self._options[number]}", look)
