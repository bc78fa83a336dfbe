"""Figures 2 to 6 from stored results: their rows and their text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from core.paper.published import TASKS
from core.paper.report import ModelReport
from core.values.derived import named, unit_of
from store.reading.paper import PaperSelection
from store.rows import AblationRow, Selection, ShapleyRow
from tui.drawing.numbers import in_range
from tui.drawing.plain import plain
from tui.paper.bars import share_bars, value_columns

if TYPE_CHECKING:
    from store.results import Results


@dataclass(frozen=True, slots=True)
class FigureRows:
    """One model on one task, with the names to print. There are no rows if nothing is stored."""

    model: str
    task: str
    value: str
    ablation: tuple[AblationRow, ...]
    shapley: tuple[ShapleyRow, ...]


def figure_rows(
    results: Results, models: Sequence[ModelReport], names: dict[str, str], selection: PaperSelection
) -> tuple[FigureRows, ...]:
    """Return the rows of the figures, for the same tasks as the tables."""
    found = []
    for model in models:
        for task in model.tasks:
            own = Selection(model.model_id, task.task_id)
            values = results.shapley(own, task.value, selection.estimator, max_removed=selection.max_removed).rows
            found.append(
                FigureRows(
                    names[model.model_id],
                    task.task,
                    task.value,
                    results.ablation(own, task.value).rows,
                    # An estimate by shorter windows is another estimate, which the tables do not show either.
                    tuple(row for row in values if not row.partial),
                )
            )
    return tuple(found)


def texts(rows: Sequence[FigureRows], width: int, *, colour: bool) -> list[tuple[str, list[str]]]:
    """Return each figure's title and its panels; a figure without stored results is left out."""
    shares = [share_bars(one.shapley, _heading(one, one.shapley), width) for one in rows if one.shapley]
    charts = [_chart(one.ablation, width, colour=colour) for one in rows if one.ablation]
    values = [value_columns(one.shapley, _heading(one, one.shapley), width) for one in rows if one.shapley]
    units = {unit_of(one.value) for one in rows}
    unit = f" ({', '.join(filter(None, units))})" if len(units) == 1 and None not in units else ""
    figures = [
        ("Figure 2. Shares of the sum of positive Shapley values, the largest four named (95% interval)", shares),
        (f"Figures 3 to 5. Score after one layer is removed{unit}", charts),
        (f"Figure 6. Shapley values by layer, unclipped{unit}", values),
    ]
    return [(title, panels) for title, panels in figures if panels]


def _chart(rows: Sequence[AblationRow], width: int, *, colour: bool) -> str:
    from tui.drawing.ablation_chart import ablation_chart

    title, chart = ablation_chart(rows, width=width, colour=colour).split("\n", 1)
    return "\n".join([*wrap(title, width), chart])


def _heading(one: FigureRows, rows: Sequence[ShapleyRow]) -> str:
    first = rows[0]
    task = TASKS.get(one.task, plain(one.task))
    n = in_range(row.n for row in rows)
    return f"{plain(one.model)} on {task} ({plain(named(first.value))}, {first.estimator}, n={n})"
