"""A removal path and its curve, step by step, as far as it was searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.findings.files import read_findings
from core.findings.finding import PathFinding
from core.removal_path.rows import PathRow
from core.values.derived import named
from tui.drawing.path_chart import path_chart
from tui.drawing.path_text import path_header, path_lines, path_title
from tui.drawing.plain import plain
from tui.explorer.compare.view import Asked, Export, Lead, Side, View, chosen
from tui.explorer.listing import Column, listing

_NOTHING = (
    "no removal path was searched yet: r removes the least missed layer of the open model again and again, "
    "and shows what that costs"
)


def read_path(asked: Asked) -> View:
    """Read the path that was chosen, else the latest of the model that the explorer shows."""
    found = read_findings(asked.store)
    sides = tuple(Side(_key(each), _name(each)) for each in found.paths)
    side = chosen(sides, asked.one, asked.model_id)
    shown = next((each for each in found.paths if side is not None and _key(each) == side.key), None)
    if shown is None:
        return View(listing=listing((), ()), notes=found.faults, nothing=_NOTHING)
    overall = shown.overall
    lines = list(path_lines(overall))
    cells = {row.step: texts for row, texts in lines}

    def draw(_row: Any, _column: int, width: int, height: int) -> str:
        chart = path_chart(overall, width=width, height=min(max(height - 6, 8), 30))
        return f"{chart.rstrip()}\n\n{path_title(overall, complete=shown.complete)}"

    def lead(row: Any, _column: int) -> Lead | None:
        if row is None:
            return None
        task = asked.task_id if asked.task_id in shown.tasks else shown.tasks[0]
        return Lead(row.model_id, task, row.removed)

    first = overall[0]
    return View(
        export=Export("path", PathRow, shown.rows),
        subject=f"{plain(first.model)} · {plain(', '.join(first.tasks))} · {plain(named(first.value))}",
        listing=listing(_columns(overall, cells), [row for row, _ in lines]),
        draw=draw,
        lead=lead,
        notes=(*found.faults, *_doubts(shown)),
        ones=sides,
        nothing=_NOTHING,
    )


def _columns(rows: Sequence[PathRow], cells: dict[int, list[str]]) -> list[Column]:
    def column(at: int, title: str) -> Column:
        text = title == "removed"
        return Column(title, lambda row: cells[row.step][at], lambda row: _sortable(cells[row.step][at]), not text)

    return [column(at, title) for at, title in enumerate(path_header(rows))]


def _sortable(text: str) -> Any:
    """Return a cell's number, for a column of numbers; None for an empty cell."""
    try:
        return float(text.partition(" ")[0].rstrip("%")) if text else None
    except ValueError:
        return text


def _doubts(shown: PathFinding) -> list[str]:
    if shown.complete:
        return []
    last = shown.rows[-1].step
    return [f"searched up to step {last} of {shown.request.steps}; r with the same settings goes on from there"]


def _key(finding: PathFinding) -> str:
    return f"{finding.rows[0].model_id} {finding.key}"


def _name(finding: PathFinding) -> str:
    first = finding.overall[0]
    steps = f"{finding.request.steps} steps"
    over = "" if finding.request.players == "sublayers" else f" over {finding.request.players}"
    tasks = ", ".join(first.tasks)
    return f"{first.model} · {tasks} · {steps}{over} · n {first.n} · {finding.made:%Y-%m-%d %H:%M} UTC"
