"""Draw shares against each other as text: a mark a player, by its kind, and the line where both are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotext

from core.coalitions.players import KIND_LABELS, PlayerKind
from tui.drawing.kinds import LOOKS, in_order

_HERE = "@"


@dataclass(frozen=True, slots=True)
class Dot:
    """One player, with its share on either side."""

    label: str
    kind: PlayerKind | None
    x: float
    y: float


def share_scatter(dots: Sequence[Dot], here: str | None, width: int, height: int) -> str:
    """Return the chart; the player named ``here`` has a mark of its own. It is read without colour."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    most = max((max(dot.x, dot.y) for dot in dots), default=0.0) or 1.0
    plotext.plot([0, 100 * most], [0, 100 * most], marker=".")
    for kind in in_order(dot.kind for dot in dots if dot.kind is not None):
        chosen = [dot for dot in dots if dot.kind == kind]
        plotext.scatter([100 * dot.x for dot in chosen], [100 * dot.y for dot in chosen], marker=LOOKS[kind].letter)
    legend = [f"{LOOKS[kind].letter} {KIND_LABELS[kind]}" for kind in in_order(d.kind for d in dots if d.kind)]
    found = next((dot for dot in dots if dot.label == here), None)
    if found is not None:
        plotext.scatter([100 * found.x], [100 * found.y], marker=_HERE)
        legend.append(f"{_HERE} {found.label}")
    plotext.xlim(0, 105 * most)
    plotext.ylim(0, 105 * most)
    drawn = plotext.uncolorize(str(plotext.build()))
    return f"{drawn.rstrip()}\n%   {'   '.join([*legend, '. equal'])}"
