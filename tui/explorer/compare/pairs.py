"""Two models on the same documents: every pair on every task, and how the one under the cursor comes about."""

from __future__ import annotations

from typing import Any

from core.values.derived import named
from store.comparison_rows import PairRow
from store.results import Results
from tui.drawing.gap_text import gap_texts
from tui.drawing.numbers import NONE, between, decimal, signed_between, whole
from tui.drawing.plain import plain, told_apart
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.compare.view import Asked, Export, Lead, View
from tui.explorer.listing import Column, listing

_RULER = 41
_ONE_MODEL = "two models are compared where both were evaluated on the same documents: m opens another model"


def read_model_pairs(asked: Asked) -> View:
    """Read every pair of models.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing.
    """
    answer = Results(asked.store, PATIENCE_S).pairs(value=asked.value)
    rows = sorted(answer.rows, key=lambda row: asked.task_id != row.task_id)
    return View(
        export=Export("pairs", PairRow, answer.rows),
        subject="the intact models on the documents that both have; the first less the second",
        listing=listing(_columns(rows), rows),
        draw=_drawn,
        lead=lambda row, _column: row and Lead(row.model_id, row.task_id, (), beside=row.other_id),
        notes=gap_texts(answer.gaps, asked.store) if rows else (),
        nothing=_ONE_MODEL,
    )


def _columns(rows: list[PairRow]) -> tuple[Column, ...]:
    models = told_apart([each for row in rows for each in ((row.model, row.model_id), (row.other, row.other_id))])
    tasks = told_apart([(row.task, row.task_id) for row in rows])
    return (
        Column("task", lambda row: tasks[row.task_id], lambda row: tasks[row.task_id]),
        Column("first", lambda row: models[row.model_id], lambda row: models[row.model_id]),
        Column("second", lambda row: models[row.other_id], lambda row: models[row.other_id]),
        _number("difference", "difference"),
        Column(
            "95%",
            lambda row: between(row.difference_low, row.difference_high),
            lambda row: row.difference_low,
            numeric=True,
        ),
        _count("n", "n"),
        _count("changed", "changed"),
        _number("1st score", "score"),
        _number("2nd score", "other_score"),
        _count("1st alone", "better"),
        _count("2nd alone", "worse"),
        Column("p", lambda row: decimal(row.p_value), lambda row: row.p_value, numeric=True),
        Column("value", lambda row: named(row.value), lambda row: row.value, common=True),
    )


def _number(title: str, field: str) -> Column:
    return Column(
        title, lambda row: decimal(getattr(row, field)), lambda row: getattr(row, field), numeric=True, falling=True
    )


def _count(title: str, field: str) -> Column:
    return Column(
        title, lambda row: whole(getattr(row, field)), lambda row: getattr(row, field), numeric=True, falling=True
    )


def _drawn(row: Any, _column: int, width: int, _height: int) -> str:
    if not isinstance(row, PairRow):
        return ""
    head = f"{plain(row.model)} and {plain(row.other)} on {plain(row.task)} ({plain(named(row.value))}, n {row.n})"
    interval = f"{row.difference:+.3f} (95% {signed_between(row.difference_low, row.difference_high)})"
    lines = [head, "", f"difference {interval}"]
    if row.p_value is not None:
        lines += ["", _ruler(row, min(_RULER, width - 4)), "", *_four(row), "", f"McNemar's exact p {row.p_value:.3f}"]
    sure = row.difference_low > 0 or row.difference_high < 0
    better = row.model if row.difference > 0 else row.other
    lines += ["", f"{plain(better)} is surely better here" if sure else "which is better is not decided"]
    lines.append(f"{row.changed} of {row.n} documents have another answer; enter shows them")
    return "\n".join(lines)


def _ruler(row: PairRow, width: int) -> str:
    """Draw the interval on a line from -1 to 1, with 0 in the middle."""

    def at(value: float) -> int:
        return round((value + 1) / 2 * (width - 1))

    cells = ["─"] * width
    for place in range(at(row.difference_low), at(row.difference_high) + 1):
        cells[place] = "━"
    cells[at(0.0)] = "┼"
    cells[at(row.difference)] = "●"
    return f"-1{''.join(cells)}1"


def _four(row: PairRow) -> list[str]:
    """Return how many documents both, one or none of the models get right."""
    right = round(row.score * row.n) - row.better
    neither = row.n - right - row.better - row.worse
    counts = [[right, row.better], [row.worse, neither]]
    width = max(len(whole(count)) for line in counts for count in line)
    titles = ("both right", "the first alone", "the second alone", "neither")
    flat = [count for line in counts for count in line]
    return [f"{whole(count) if count else NONE:>{width}}  {title}" for count, title in zip(flat, titles, strict=True)]
