"""Draw the score by ablated layer as text.

Each kind of player has its letter and colour, such as a red o for attention; lines are the intact model and chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import plotext

from core.coalitions.players import KIND_LABELS
from core.values.derived import derived_values, named
from store.rows import AblationRow
from tui.drawing.ablation_dots import base_of
from tui.drawing.kinds import LOOKS, in_order
from tui.drawing.plain import plain

_HEIGHT = 18


def ablation_chart(rows: Sequence[AblationRow], *, width: int = 80, colour: bool = False) -> str:
    """Return the chart of one model and task. The markers differ, so it can be read without colour.

    Scores are of the documents that most rows have: a row of others is as far from the intact score as its paired drop.
    """
    base = base_of(rows, rows[0].value)
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, _HEIGHT)
    last = max(row.layer for row in rows)
    # The legend goes above the chart: inside, it would cover the first layers, where the cornerstones are.
    legend = ["- intact"]
    plotext.plot([0, last], [base.intact] * 2, marker="-", color="green")
    if base.chance is not None:
        plotext.plot([0, last], [base.chance] * 2, marker=".", color="gray")
        legend.append(". chance")
    for kind in in_order(row.kind for row in rows):
        look, chosen = LOOKS[kind], [row for row in rows if row.kind == kind]
        scores = [base.without(row.drop) for row in chosen]
        plotext.scatter([row.layer for row in chosen], scores, marker=look.letter, color=look.ansi)
        legend.append(f"{look.letter} {KIND_LABELS[kind]}")
    scores = [base.intact, *(base.without(row.drop) for row in rows)]
    if rows[0].value not in derived_values() and all(0 <= score <= 1 for score in scores):
        plotext.ylim(0, 1)
    plotext.xticks(range(0, last + 1, max(1, (last + 1) // 10)))
    plotext.xlabel("layer removed")
    drawn = str(plotext.build())
    of = f"{plain(rows[0].model)} on {plain(rows[0].task)} ({plain(named(rows[0].value))}), {base.documents}"
    title = f"{of}:  {'   '.join(legend)}"
    return f"{title}\n{drawn if colour else plotext.uncolorize(drawn)}"
