"""A text that scrolls and is searched: what is found is marked, and one goes from one place to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from rich.cells import cell_len
from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.explorer.actions import TEXT, bindings
from tui.explorer.clipboard import copy

_FOUND = Style(underline=True, bold=True)
_HERE = Style(reverse=True)
"""Both are seen without colour."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line, from one character up to another."""

    line: int
    start: int
    end: int


def places(lines: Sequence[str], wanted: str) -> list[tuple[Part, ...]]:
    """Return where the words of a text stand one after another, also where a line ends between them.

    Capital and small letters are the same.
    """
    words = wanted.split()
    if not words:
        return []
    pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    text = "\n".join(lines)
    return [tuple(_parts(lines, starts, *found.span())) for found in pattern.finditer(text)]


def _parts(lines: Sequence[str], starts: Sequence[int], start: int, end: int) -> Iterator[Part]:
    first = next(at for at, after in enumerate(starts[1:]) if start < after)
    for at in range(first, len(lines)):
        if starts[at] >= end:
            return
        yield Part(at, max(start - starts[at], 0), min(end - starts[at], len(lines[at])))


class TextPane(ScrollView, can_focus=True):
    """Shows a text, broken into lines by the width."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("text", TEXT),
        Binding("j", "scroll_down", "down", show=False),
        Binding("k", "scroll_up", "up", show=False),
        Binding("g", "scroll_home", "to the top", show=False),
        Binding("G", "scroll_end", "to the end", show=False),
    ]
    DEFAULT_CSS = """
    TextPane {
        overflow-x: hidden;
        scrollbar-size: 1 1; scrollbar-background: $background; scrollbar-color: $foreground 20%;
    }
    """

    class Sought(Message):
        """The user wants to find something in a pane."""

        def __init__(self, pane: TextPane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._content: RenderableType = Text()
        self._lines: list[Strip] = []
        self._wanted = ""
        self._places: list[tuple[Part, ...]] = []
        self._place = 0

    def draw(self, content: RenderableType, *, follow: bool = False) -> None:
        """Replace the text.

        Args:
            content: the text, or several; markup has no meaning in it.
            follow: stay at the end, if that is in sight.
        """
        at_end = self.scroll_offset.y >= len(self._lines) - self.scrollable_content_region.height
        self._content = content
        self._break()
        if follow and at_end:
            self.call_after_refresh(self.scroll_to, 0, len(self._lines), animate=False)

    def mark(self, wanted: str) -> None:
        """Mark where a text is found."""
        self._wanted, self._place = wanted, 0
        self._find()

    def seek(self, wanted: str) -> None:
        """Mark where a text is found, and go to the first place from what is in sight on."""
        top = self.scroll_offset.y
        self.mark(wanted)
        below = [at for at, place in enumerate(self._places) if place[0].line >= top]
        self._go(below[0] if below else 0)

    @property
    def found(self) -> tuple[int, int]:
        """Return the number of the place where one is, from 1, and how many there are; 0 and 0 if there is none."""
        return (self._place + 1, len(self._places)) if self._places else (0, 0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go on only where something was found."""
        return bool(self._places) if action in {"next_match", "previous_match"} else True

    def action_find(self) -> None:
        self.post_message(self.Sought(self))

    def action_next_match(self) -> None:
        self._go(self._place + 1)

    def action_previous_match(self) -> None:
        self._go(self._place - 1)

    def action_copy(self) -> None:
        content = self._content
        lines = content.plain if isinstance(content, Text) else "\n".join(line.text.rstrip() for line in self._lines)
        copy(self.app, lines, "text")

    def on_resize(self, _event: events.Resize) -> None:
        self._break()

    def render_line(self, y: int) -> Strip:
        """Draw the line that is scrolled to this place."""
        width, at = self.scrollable_content_region.width, self.scroll_offset.y + y
        line = self._marked(at) if at < len(self._lines) else Strip.blank(width)
        return line.crop_extend(0, width, self.rich_style).apply_style(self.rich_style)

    def _break(self) -> None:
        """Break the text into lines. A new number of lines needs a new layout, any other change does not."""
        width = self.scrollable_content_region.width
        if not width:
            return  # it has no place yet
        options = self.app.console.options.update(width=width, height=None, highlight=False, markup=False)
        drawn = self.app.console.render_lines(self._content, options, pad=False)
        self._lines = [Strip(segments) for segments in drawn]
        while self._lines and not self._lines[-1].text.strip():
            self._lines.pop()
        size = Size(width, len(self._lines))
        if size != self.virtual_size:
            self.virtual_size = size
        self._find()

    def _find(self) -> None:
        before = bool(self._places)
        self._places = places([line.text for line in self._lines], self._wanted)
        self._place = min(self._place, max(len(self._places) - 1, 0))
        if bool(self._places) != before:
            self.refresh_bindings()
        self.refresh()

    def _go(self, place: int) -> None:
        """Go to a place by its number; the first follows the last."""
        if self._places:
            self._place = place % len(self._places)
            line, height = self._places[self._place][0].line, self.scrollable_content_region.height
            if not self.scroll_offset.y <= line < self.scroll_offset.y + height:
                self.scroll_to(0, line - height // 2, animate=False)
            self.refresh()

    def _marked(self, at: int) -> Strip:
        """Return a line with what was found in it marked."""
        line, done, parts = self._lines[at], 0, []
        for number, place in enumerate(self._places):
            for part in place:
                if part.line == at:
                    start, end = (cell_len(line.text[:one]) for one in (part.start, part.end))
                    look = _HERE if number == self._place else _FOUND
                    found = [Segment(text, (style or Style.null()) + look) for text, style, _ in line.crop(start, end)]
                    parts += [line.crop(done, start), Strip(found)]
                    done = end
        return Strip.join([*parts, line.crop(done)]) if parts else line
