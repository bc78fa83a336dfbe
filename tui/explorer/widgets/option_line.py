"""Options in one line, of which one is under the cursor: what a choice and a row of ticks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tui.drawing.plain import plain

_GAP: Final = "  "


class OptionLine(Widget, can_focus=True):
    """A line of options. If not all fit, those around the one with the number ``cursor`` are visible."""

    DEFAULT_CSS = """
    OptionLine { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, options: Sequence[str], cursor: int = 0, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._options = [plain(option) for option in options]
        self.cursor = cursor

    def picked(self, number: int) -> None:
        """Do what a click on an option does."""
        raise NotImplementedError

    def part(self, number: int) -> Content:
        """Return the text of an option."""
        raise NotImplementedError

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        if where is None:
            return
        end = 0
        for number in range(self._first, len(self._options)):
            end += self.part(number).cell_length + len(_GAP)
            if where.x < end:
                self.picked(number)
                return

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render(self) -> Content:
        return Content(_GAP).join([self.part(number) for number in range(self._first, len(self._options))])

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    @property
    def _first(self) -> int:
        """Return the first option to draw, so that the one under the cursor is visible."""
        widths = [self.part(number).cell_length + len(_GAP) for number in range(self.cursor + 1)]
        first = 0
        while first < self.cursor and sum(widths[first:]) - len(_GAP) > self.content_size.width:
            first += 1
        return first
