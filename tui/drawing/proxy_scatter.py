"""Draw a proxy against what it stands for, as text: a mark a sublayer, by its kind."""

from __future__ import annotations

from collections.abc import Sequence

import plotext

from core.coalitions.players import KIND_LABELS
from core.proxies.rows import ProxyRow
from tui.drawing.kinds import LOOKS, in_order

_HERE = "@"


def proxy_scatter(rows: Sequence[ProxyRow], here: str | None, width: int, height: int) -> str:
    """Return the chart of Block Influence against phi, or against the drop where phi is not stored.

    It leaves out each document's first token where documents have others, as that token hides all else.
    """
    later = all(row.block_influence_later is not None for row in rows)
    by_phi = all(row.phi_window_first is not None for row in rows)
    dear = [row.phi_window_first if by_phi else row.drop for row in rows]
    if any(value is None for value in dear):
        return "neither drops nor Shapley values of these documents are stored, so there is nothing to draw"
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    points = [
        (row, row.block_influence_later if later else row.block_influence, value)
        for row, value in zip(rows, dear, strict=True)
    ]
    legend = []
    for kind in in_order(row.kind for row in rows if row.kind is not None):
        chosen = [(x, y) for row, x, y in points if row.kind == kind]
        plotext.scatter([x for x, _ in chosen], [y for _, y in chosen], marker=LOOKS[kind].letter)
        legend.append(f"{LOOKS[kind].letter} {KIND_LABELS[kind]}")
    for row, x, y in points:
        if row.label == here:
            plotext.scatter([x], [y], marker=_HERE)
            legend.append(f"{_HERE} {row.label}")
    drawn = plotext.uncolorize(str(plotext.build())).rstrip()
    target = "phi (window-first)" if by_phi else "drop"
    tokens = " without the first token" if later else ""
    return f"↑ {target}\n{drawn}\n→ Block Influence{tokens}   {'   '.join(legend)}"
