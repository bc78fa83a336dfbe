"""Models by tasks: the intact model's score in each cell, and the figures of the cell under the cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.values.corpus import lower_is_better
from core.values.derived import named
from store.results import Results
from store.rows import ScoreRow
from tui.drawing.gap_text import gap_texts, note_texts
from tui.drawing.numbers import NONE, between, decimal, whole
from tui.drawing.plain import told_apart
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.compare.view import Asked, Export, Lead, View
from tui.explorer.listing import Column, listing

EMPTY = "nothing is stored yet: back on the explorer, r runs a schedule on the open tasks"


@dataclass(frozen=True, slots=True)
class TaskScores:
    """One task's scores by the id of the model."""

    name: str
    task_id: str
    scores: Mapping[str, ScoreRow]


def read_scores(asked: Asked) -> View:
    """Read the score of every model on every task.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing.
    """
    results = Results(asked.store, PATIENCE_S)
    answer = results.scores(value=asked.value)
    single = {(group.model_id, group.task_id) for group in results.groups().rows}
    models = told_apart([(row.model, row.model_id) for row in answer.rows])
    tasks = told_apart([(row.task, row.task_id) for row in answer.rows])
    order = sorted(models, key=lambda ident: ident != asked.model_id)  # the open one first, as it is looked at
    lines = [
        TaskScores(name, ident, {row.model_id: row for row in answer.rows if row.task_id == ident})
        for ident, name in tasks.items()
    ]
    columns = [Column("task", _task, lambda row: row.name)]
    # The best first. Tasks of several values have no common order.
    falling = not (answer.rows and all(lower_is_better(row.value) for row in answer.rows))
    columns += [_of_model(ident, models[ident], falling=falling) for ident in order]

    def under(row: Any, column: int) -> ScoreRow | None:
        if row is None:
            return None
        return row.scores.get(order[max(column - 1, 0)]) or (None if column else next(iter(row.scores.values()), None))

    def lead(row: Any, column: int) -> Lead | None:
        found = under(row, column)
        if found is None:
            return None
        # The browser shows a group of tasks among all that the model has.
        task_id = found.task_id if (found.model_id, found.task_id) in single else None
        return Lead(found.model_id, task_id, table="ablation")

    def figures(row: Any, column: int) -> tuple[str, str] | None:
        found = under(row, column)
        return None if found is None else (found.model_id, found.task_id)

    return View(
        export=Export("scores", ScoreRow, answer.rows),
        subject="the intact model's score, its 95% interval, and its documents",
        listing=listing(columns, lines),
        lead=lead,
        figures=figures,
        notes=(*gap_texts(answer.gaps, asked.store), *note_texts([answer], asked.store)),
        nothing=EMPTY,
    )


def _task(row: TaskScores) -> str:
    """Return a task's name with the value that is shown, and the score of a guess."""
    values = dict.fromkeys(named(score.value) for score in row.scores.values())
    chances = dict.fromkeys(decimal(score.chance) for score in row.scores.values() if score.chance is not None)
    more = [*values, *(f"chance {chance}" for chance in chances)]
    return f"{row.name} ({', '.join(more)})"


def _of_model(ident: str, name: str, *, falling: bool) -> Column:
    def score(row: TaskScores) -> float | None:
        return row.scores[ident].score if ident in row.scores else None

    return Column(name, lambda row: _cell(row.scores.get(ident)), score, falling=falling)


def _cell(row: ScoreRow | None) -> str:
    if row is None:
        return NONE
    return f"{decimal(row.score)} ({between(row.score_low, row.score_high)}) n {whole(row.n)}"
