"""Draw a removal path as text: the score after each removal, on the choosing and on the held-out documents."""

from __future__ import annotations

from collections.abc import Sequence

import plotext

from core.removal_path.rows import PathRow
from core.values.derived import named
from tui.drawing.plain import plain

_WIDTH, _HEIGHT = 80, 16
_MOST_TICKS = 10


def path_chart(rows: Sequence[PathRow], *, width: int = _WIDTH, height: int = _HEIGHT, colour: bool = False) -> str:
    """Return the chart of one path. All rows are over the same tasks.

    The markers differ, so it can be read without colour.
    """
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    last = max(row.step for row in rows)
    legend = []
    chance = rows[0].chance
    if chance is not None:  # drawn first, so that it hides no score
        plotext.plot([0, last], [chance, chance], marker=".", color="gray")
    for documents, marker, tint in (("chosen by these", "o", "blue"), ("held out", "x", "red")):
        chosen = [row for row in rows if row.documents == documents]
        if chosen:
            plotext.scatter([row.step for row in chosen], [row.score for row in chosen], marker=marker, color=tint)
            legend.append(f"{marker} {'the choosing' if marker == 'o' else 'held-out'} documents")
    if chance is not None:
        legend.append(". chance")
    if all(0 <= row.score <= 1 for row in rows):
        plotext.ylim(0, 1)
    plotext.xticks(range(0, last + 1, max(1, (last + 1) // _MOST_TICKS)))
    plotext.xlabel("removed")
    drawn = str(plotext.build())
    return f"{plain(named(rows[0].value))}:  {'   '.join(legend)}\n{drawn if colour else plotext.uncolorize(drawn)}"
