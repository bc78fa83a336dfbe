"""A choice among a few options in one line. The arrow keys choose at once; enter is left to the dialog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from tui.drawing import colours
from tui.drawing.plain import plain

_GAP = "  "


class Choice(Widget, can_focus=True):
    """A line of options, of which ``chosen`` is the number of the current one.

    If not all options fit, those around the current one are visible.
    """

    HELP = "Left and right choose, up and down go to another line, enter starts."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", "the one before", show=False),
        Binding("right,space", "choose(1)", "the next one", show=False),
        Binding("enter", "screen.start", "start", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Changed(Message):
        """Another option is chosen."""

    def __init__(self, options: Sequence[str], chosen: int = 0, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._options = [plain(option) for option in options]
        self.chosen = chosen

    def choose(self, number: int) -> None:
        """Choose an option by its number; the first follows the last."""
        self.chosen = number % len(self._options)
        self.post_message(self.Changed())
        self.refresh()

    def action_choose(self, direction: int) -> None:
        self.choose(self.chosen + direction)

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        if where is None:
            return
        end = 0
        for number in range(self._first, len(self._options)):
            end += self._part(number).cell_length + len(_GAP)
            if where.x < end:
                self.choose(number)
                return

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render(self) -> Content:
        return Content(_GAP).join([self._part(number) for number in range(self._first, len(self._options))])

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    @property
    def _first(self) -> int:
        """Return the first option to draw, so that the chosen one is visible."""
        widths = [self._part(number).cell_length + len(_GAP) for number in range(self.chosen + 1)]
        first = 0
        while first < self.chosen and sum(widths[first:]) - len(_GAP) > self.content_size.width:
            first += 1
        return first

    def _part(self, number: int) -> Content:
        if number != self.chosen:
            return Content.styled(f"○ {self._options[number]}", colours.QUIET)
        look: Style = colours.CURSOR if self.has_focus else colours.STRONG
        return Content.styled(f"● {self._options[number]}", look)
