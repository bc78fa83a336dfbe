"""Accuracy by ablated layer, drawn in text: attention red o, FFN blue x, lines for the intact model and for chance."""

from __future__ import annotations

from collections.abc import Sequence

import plotext

from store.rows import AblationRow

_HEIGHT = 18


def ablation_chart(rows: Sequence[AblationRow], *, width: int = 80, colour: bool = False) -> str:
    """The chart of one model and task. The markers differ, so it reads without colour too."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, _HEIGHT)
    last = max(row.layer for row in rows)
    plotext.plot([0, last], [rows[0].intact_acc] * 2, marker="-", color="green", label="- intact")
    if rows[0].chance is not None:
        plotext.plot([0, last], [rows[0].chance] * 2, marker=".", color="gray", label=". chance")
    for name, marker, tint, chosen in (
        ("attention", "o", "red", [row for row in rows if row.kind == "attn"]),
        (
            "FFN" if any(row.kind == "ffn" for row in rows) else "MoE",
            "x",
            "blue",
            [r for r in rows if r.kind != "attn"],
        ),
    ):
        if chosen:
            layers, scores = [row.layer for row in chosen], [row.acc for row in chosen]
            plotext.scatter(layers, scores, marker=marker, color=tint, label=f"{marker} {name}")
    plotext.ylim(0, 1)
    plotext.xlabel("layer removed")
    plotext.ylabel(rows[0].value)
    plotext.title(f"{rows[0].model} on {rows[0].task}")
    drawn = str(plotext.build())
    return drawn if colour else str(plotext.uncolorize(drawn))
