"""Ticks that are seen without colour: [x] and [ ]."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Checkbox, SelectionList


class Tick(Checkbox):
    """A box that is ticked or not."""

    BUTTON_LEFT = "["
    BUTTON_RIGHT = "]"

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # noqa: N802 as Textual has it
        return _inner(self.value)


class TickList(SelectionList[str]):
    """A list of names, each ticked or not."""

    def render_line(self, y: int) -> Strip:
        """Draw a line as Textual does, with other signs for its button."""
        line = super().render_line(y)
        at = self.scroll_offset.y + y
        if at >= self.option_count:
            return line
        _left, button, _right, *rest = line
        ticked = self.get_option_at_index(at).value in self.selected
        return Strip([*(Segment(sign, button.style) for sign in ("[", _inner(ticked), "]")), *rest])


def _inner(ticked: bool) -> str:
    return "x" if ticked else " "
