"""Draw the interactions of neighbours as a heat map in text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.color import ColorSystem
from rich.style import Style

from core.values.derived import named
from store.rows import InteractionRow
from tui.drawing.colours import effect
from tui.drawing.interaction_scale import (
    BACK_UP,
    LEANS_TO_BACK_UP,
    LEANS_TO_NEED,
    LITTLE,
    NEED,
    NOTHING,
    glyph,
    largest_effect,
)
from tui.drawing.map_layout import LABEL, MapLayout, layers_of, map_layout
from tui.drawing.plain import plain

_LEGEND = (
    f"{BACK_UP} they back each other up   {NEED} they need each other   "
    f"{LEANS_TO_BACK_UP} {LEANS_TO_NEED} undecided   {LITTLE} little"
)
_AXES = "across: the layer of a window's first player; down: how many players it has"


def interaction_chart(rows: Sequence[InteractionRow], *, width: int = 80, colour: bool = False) -> str:
    """Return the map of one model and task: a column per first player, a line per window size.

    The glyphs differ, so it can be read without colour.
    """
    layout = map_layout(layers_of(rows), tuple(sorted({row.size for row in rows})), width)
    known = {(row.size, row.first): row for row in rows}
    largest = largest_effect(rows)
    first = rows[0]
    of = f"{plain(first.model)} on {plain(first.task)} ({plain(named(first.value))})"
    lines = [f"interactions of neighbours in {of}, n={first.n}"]
    for band in range(layout.bands):
        lines.append(layout.numbers(band))
        lines += [_line(known, layout, band, size, largest, colour) for size in layout.sizes]
    return "\n".join([*lines, _LEGEND, _AXES, ""])


def _line(
    known: dict[tuple[int, int], InteractionRow], layout: MapLayout, band: int, size: int, largest: float, colour: bool
) -> str:
    cells = []
    for first in layout.firsts(band):
        row = known.get((size, first))
        text = f"{NOTHING if row is None else glyph(row, largest):<{layout.cell}}"
        cells.append(_tinted(text, row.effect / largest) if colour and row is not None else text)
    return f"{size:<{LABEL}}" + "".join(cells)


def _tinted(text: str, part: float) -> str:
    style: Style = effect(part).rich_style
    return style.render(text, color_system=ColorSystem.TRUECOLOR)
