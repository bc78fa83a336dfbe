"""Figure of the score without each layer, by layer: the paper's Figures 3 to 5."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from store.rows import AblationRow
from tui.drawing.ablation_dots import Base, base_of
from tui.drawing.slots import slots_of
from tui.figures.panels import Panel, above, entitle, grid, of_value, panels, tick_step
from tui.figures.style import (
    CHANCE,
    INTACT,
    LOOKS,
    WHISKER,
    Look,
    Width,
    line_key,
    mark_key,
    styled,
)

# The part of a layer's width over which the marks of its players stand.
_WITHIN = 0.8


def ablation_figure(rows: Sequence[AblationRow], *, width: Width = "page") -> Figure:
    """Draw a panel per task: a mark for each kind of player, such as circles for attention; intact and chance as lines.

    A thin line is the 95% interval of the paired drop. Marks and lines are drawn relative to the intact model's score
    of the documents that most rows have.

    Raises:
        ValueError: there are no rows.
    """
    common, found = panels(rows)
    layers = max(row.layer for row in rows) + 1
    columns = 1 if width == "column" else 3 if layers <= 40 else 2
    unit = all(0 <= score <= 1 for row in rows for score in (row.acc, row.intact_acc))
    with styled():
        figure, axes, room = grid(len(found), width, columns, 1.75, share_y=unit)
        for place, panel in zip(axes, found, strict=True):
            _draw(place, panel, layers, room)
        if unit:
            axes[0].set_ylim(*_limits(found))
        figure.supxlabel("layer removed", fontsize=7)
        figure.supylabel(of_value("score", rows), fontsize=7)
        keys = [
            *(mark_key(LOOKS[kind]) for kind in LOOKS if any(row.kind == kind for row in rows)),
            line_key(WHISKER, "-", "95% interval"),
            line_key(INTACT, "-", "intact"),
        ]
        if any(row.chance is not None for row in rows):
            keys.append(line_key(CHANCE, "--", "chance"))
        above(figure, common, keys, width)
    return figure


def _draw(place: Axes, panel: Panel[AblationRow], layers: int, room: float) -> None:
    rows, base = panel.rows, base_of(panel.rows, panel.rows[0].value)
    entitle(place, panel, room)
    place.axhline(base.intact, color=INTACT, linewidth=0.9, zorder=1)
    if base.chance is not None:
        place.axhline(base.chance, color=CHANCE, linewidth=0.9, linestyle="--", zorder=1)
    slots = slots_of(rows)
    across = [row.layer + _WITHIN * slots.aside(at, 0.5) - _WITHIN / 2 for at, row in enumerate(rows)]
    for kind, look in LOOKS.items():
        chosen = [(row, x) for row, x in zip(rows, across, strict=True) if row.kind == kind]
        if chosen:
            _marks(place, chosen, base, look, size=9.0 if layers <= 40 else 5.0)
    place.set_xticks(range(0, layers, tick_step(layers)))
    place.set_xlim(-1, layers)


def _marks(place: Axes, placed: Sequence[tuple[AblationRow, float]], base: Base, look: Look, size: float) -> None:
    rows, across = [row for row, _ in placed], np.array([x for _, x in placed])
    low = [base.without(row.drop_high) for row in rows]
    high = [base.without(row.drop_low) for row in rows]
    place.vlines(across, low, high, color=look.tint, linewidth=0.5, zorder=2)
    edge = 0.8 if look.marker in {"x", "+"} else 0.0
    scores = [base.without(row.drop) for row in rows]
    place.scatter(across, scores, s=size, color=look.colour, marker=look.marker, linewidths=edge, zorder=3)


def _limits(found: Sequence[Panel[AblationRow]]) -> tuple[float, float]:
    scores = [row.chance for panel in found for row in panel.rows if row.chance is not None]
    for panel in found:
        base = base_of(panel.rows, panel.rows[0].value)
        scores += [base.without(drop) for row in panel.rows for drop in (row.drop_high, row.drop_low)]
    return max(min(scores) - 0.03, -0.02), min(max(scores) + 0.03, 1.02)
