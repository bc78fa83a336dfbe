"""Draw the dots of single removals on a canvas: all in one chart, or a strip a row of players where they are crowded.

Intervals are lines as thin as a dot of braille. So each is seen also where two players share a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from textual.color import Color
from textual.content import Content
from textual.style import Style

from tui.drawing import colours
from tui.drawing.ablation_dots import Dot, Dots
from tui.drawing.canvas import ACROSS, DOWN, Canvas
from tui.drawing.kinds import LOOKS, MIXERS, row_name
from tui.drawing.score_scale import ScoreScale, scale_of

INTACT_LINE, CHANCE_LINE, COST_LINE, BOTH, OPEN = "─", "┈", "╌", "⊗", "?"
_CURSOR: Final = "▲"
_WHISKER: Final = Style(foreground=Color(104, 107, 122))
_INTACT: Final = Style(foreground=colours.INTACT)
_CHANCE: Final = Style(foreground=colours.CHANCE)
COST: Final = colours.STRONG
_HERE: Final = Style(reverse=True, bold=True)
_TICK_COLUMNS: Final = 5
_STEPS: Final = (1, 2, 5, 10, 20, 50)
_LOW: Final = 6
"""Charts with fewer rows leave out the numbers of layers."""
_CROWDED: Final = 1.7
"""More players than this for a column need strips."""
_STRIP: Final = 2
"""The fewest rows of a strip."""


@dataclass(frozen=True, slots=True)
class AblationCanvas:
    """The drawn chart, and the cell of each player on it; ``here`` is that of the cursor's.

    ``gutter`` columns before it name the scores. ``shares_cells`` tells whether a cell shows players of two kinds.
    """

    canvas: Canvas
    gutter: int
    places: dict[int, tuple[int, int]]
    here: tuple[int, int] | None
    shares_cells: bool

    def near(self, x: int, y: int) -> int | None:
        """Return the player whose dot is nearest to a cell, within two columns."""
        found = [
            ((abs(column - x), abs(row - y)), player)
            for player, (column, row) in self.places.items()
            if abs(column - x) <= 2
        ]
        return min(found)[1] if found else None


def draw_ablation(dots: Dots, layers: int, rows: int, size: tuple[int, int], here: int | None) -> AblationCanvas:
    """Draw dots.

    Args:
        dots: what to draw.
        layers: the number of layers, all of which have their place.
        rows: the number of rows of players.
        size: the width and height in cells.
        here: the player under the cursor.
    """
    width, height = size
    strips = _strips(dots, rows, width, height)
    if strips is not None:
        return _draw_strips(dots, layers, strips, size, here)
    numbered = height >= _LOW
    plotted = height - numbered
    spare = plotted % 2 == 0  # with an odd number of rows, .5 is in the middle of one
    scale = scale_of(dots.scores, plotted - spare)
    gutter = _gutter(scale)
    canvas = Canvas(width, height)
    chart = _Chart(canvas, scale, gutter, 0)
    chart.axis()
    for dot in dots.dots:
        chart.whisker(dot)
    chart.lines(dots, under=False)
    shared = _put_marks(chart, dots.dots, here)
    if spare:
        canvas.put(gutter - 1, plotted - 1, "└" + "─" * (width - gutter), colours.QUIET)
    places = {dot.player: (chart.column(dot), scale.row(dot.score)) for dot in dots.dots}
    cursor = None if here is None else places.get(here)
    if numbered:
        _put_numbers(chart, height - 1, layers, cursor)
    return AblationCanvas(canvas, gutter, places, cursor, shared)


@dataclass(frozen=True, slots=True)
class _Chart:
    """A part of a canvas: below ``top``, right of the gutter."""

    canvas: Canvas
    scale: ScoreScale
    gutter: int
    top: int

    @property
    def width(self) -> int:
        return self.canvas.width - self.gutter

    def column(self, dot: Dot) -> int:
        """Return the cell of a dot across the canvas."""
        return self.gutter + min(int(dot.across * self.width), self.width - 1)

    def axis(self) -> None:
        named = self.scale.named
        for row in range(self.scale.rows):
            text = f"{named.get(row, ''):>{self.gutter - 2}} {'┤' if row in named else '│'}"
            self.canvas.put(0, self.top + row, text, colours.QUIET)

    def lines(self, dots: Dots, *, under: bool) -> None:
        for score, text, style in (
            (None if dots.cost is None else dots.cost.score, COST_LINE, COST),
            (dots.base.chance, CHANCE_LINE, _CHANCE),
            (dots.base.intact, INTACT_LINE, _INTACT),
        ):
            if score is not None:
                self.canvas.put(self.gutter, self.top + self.scale.row(score), text * self.width, style, under=under)

    def whisker(self, dot: Dot) -> None:
        across = self._dot_column(dot)
        top, bottom = (DOWN * self.top + self.scale.dot(score) for score in (dot.high, dot.low))
        self.canvas.line(across, top, bottom, _WHISKER)

    def point(self, dot: Dot) -> None:
        """Set the dot itself, and give its whole cell the colour of its kind."""
        style = Style(foreground=colours.hue(dot.kind), bold=True)
        self.canvas.dot(self._dot_column(dot), DOWN * self.top + self.scale.dot(dot.score), style)

    def _dot_column(self, dot: Dot) -> int:
        across = ACROSS * self.width
        return ACROSS * self.gutter + min(int(dot.across * across), across - 1)


def _put_marks(chart: _Chart, dots: Sequence[Dot], here: int | None) -> bool:
    """Put the mark of each player, and return whether players of two kinds, or one open, share a cell."""
    there: dict[tuple[int, int], list[Dot]] = {}
    for dot in dots:
        there.setdefault((chart.column(dot), chart.top + chart.scale.row(dot.score)), []).append(dot)
    shared = False
    for (x, y), own in there.items():
        looks = {OPEN if dot.open else LOOKS[dot.kind].mark: colours.hue(dot.kind) for dot in own}
        (mark, hue), *others = looks.items()
        shared = shared or bool(others)
        style = colours.STRONG if others else Style(foreground=hue)
        chart.canvas.put(x, y, BOTH if others else mark, style)
        if any(dot.player == here for dot in own):
            chart.canvas.mark(x, y, _HERE)
    return shared


def _strips(dots: Dots, rows: int, width: int, height: int) -> list[list[Dot]] | None:
    """Return the dots of each strip, one below the other; None if all fit into one chart."""
    if len(dots.dots) <= _CROWDED * width or height < 2 * _STRIP + 1:
        return None
    by_row: dict[int, list[Dot]] = {row: [] for row in range(rows)}
    by_role: dict[int, list[Dot]] = {0: [], 1: []}
    for dot in dots.dots:
        by_row[dot.row].append(dot)
        by_role[dot.kind not in MIXERS].append(dot)
    chosen = by_row if 1 < rows <= (height - 1) // _STRIP else by_role
    return [strip for strip in chosen.values() if strip]


def _draw_strips(
    dots: Dots, layers: int, strips: Sequence[Sequence[Dot]], size: tuple[int, int], here: int | None
) -> AblationCanvas:
    """Draw a strip for each list of dots, with the numbers of layers below the first."""
    width, height = size
    canvas = Canvas(width, height)
    room = (height - 1) // len(strips)
    spread = [end for dot in dots.dots for end in (dot.low, dot.high)]
    scale = scale_of([*dots.scores, *(score for score in spread if 0 <= score <= 1)], room, close=True)
    gutter = max(_gutter(scale), 6)
    places: dict[int, tuple[int, int]] = {}
    for at, strip in enumerate(strips):
        chart = _Chart(canvas, scale, gutter, at * room + (at > 0))
        chart.axis()
        canvas.put(0, chart.top, f"{row_name(dot.kind for dot in strip):<{gutter - 1}}", colours.STRONG)
        chart.lines(dots, under=True)
        for dot in strip:
            chart.whisker(dot)
        for dot in strip:
            chart.point(dot)
            places[dot.player] = (chart.column(dot), chart.top + scale.row(dot.score))
    cursor = None if here is None else places.get(here)
    if cursor is not None:
        canvas.mark(*cursor, _HERE)
    _put_numbers(_Chart(canvas, scale, gutter, 0), room, layers, cursor)
    return AblationCanvas(canvas, gutter, places, cursor, shares_cells=False)


def _put_numbers(chart: _Chart, row: int, layers: int, here: tuple[int, int] | None) -> None:
    """Write numbers of layers as far as there is room, and mark the column of the cursor."""
    for layer, column in _numbered(layers, chart.width):
        chart.canvas.put(chart.gutter + column, row, str(layer), colours.QUIET)
    if here is not None:
        chart.canvas.put(here[0], row, _CURSOR, colours.STRONG)


def _numbered(layers: int, width: int) -> Iterator[tuple[int, int]]:
    step = next((step for step in _STEPS if width * step >= _TICK_COLUMNS * layers), layers)
    for layer in range(0, layers, step):
        yield layer, int(layer * width / layers)


def _gutter(scale: ScoreScale) -> int:
    return max([3, *map(len, scale.named.values())]) + 2


def lines_of(drawn: AblationCanvas) -> Content:
    """Return the chart as text."""
    return Content("\n").join(drawn.canvas.rows())
