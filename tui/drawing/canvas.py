"""A canvas of character cells, each of which may hold dots: two across and four down, as in braille."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from textual.content import Content
from textual.style import Style

ACROSS, DOWN = 2, 4
"""Dots of a cell."""

_BLANK: Final = 0x2800
_BITS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of a dot in a character of braille, by its column and row in the cell."""

Cell = tuple[int, int]


class Canvas:
    """Characters lie over dots, or under them; outside the canvas nothing is drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._over: dict[Cell, tuple[str, Style]] = {}
        self._under: dict[Cell, tuple[str, Style]] = {}
        self._dots: dict[Cell, int] = {}
        self._dot_styles: dict[Cell, Style] = {}
        self._more: dict[Cell, Style] = {}

    def put(self, x: int, y: int, text: str, style: Style, *, under: bool = False) -> None:
        """Write characters into the cells from (x, y) on; under dots they are seen where there are none."""
        layer = self._under if under else self._over
        for at, character in enumerate(text, x):
            if 0 <= at < self.width and 0 <= y < self.height:
                layer[at, y] = (character, style)

    def dot(self, x: int, y: int, style: Style) -> None:
        """Set a dot. The last style given to a cell is that of all its dots."""
        cell = (x // ACROSS, y // DOWN)
        if 0 <= cell[0] < self.width and 0 <= cell[1] < self.height:
            self._dots[cell] = self._dots.get(cell, 0) | _BITS[x % ACROSS][y % DOWN]
            self._dot_styles[cell] = style

    def line(self, x: int, top: int, bottom: int, style: Style) -> None:
        """Set the dots of a vertical line."""
        for y in range(max(top, 0), min(bottom, DOWN * self.height - 1) + 1):
            self.dot(x, y, style)

    def mark(self, x: int, y: int, style: Style) -> None:
        """Add a style to whatever a cell shows."""
        self._more[x, y] = style

    def rows(self) -> list[Content]:
        """Return the lines of the canvas."""
        return [self._row(y) for y in range(self.height)]

    def _row(self, y: int) -> Content:
        cells = [self._cell(x, y) for x in range(self.width)]
        runs = groupby(cells, key=lambda cell: cell[1])
        return Content.assemble(*(("".join(character for character, _ in run), style) for style, run in runs))

    def _cell(self, x: int, y: int) -> tuple[str, Style]:
        cell = (x, y)
        if cell in self._over:
            character, style = self._over[cell]
        elif cell in self._dots:
            character, style = chr(_BLANK + self._dots[cell]), self._dot_styles[cell]
        else:
            character, style = self._under.get(cell, (" ", Style()))
        return character, style + self._more[cell] if cell in self._more else style
