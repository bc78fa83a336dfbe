"""The report on the tasks of a group or tag: a line for each task, then the whole if lm-eval gives it a score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.table import Table

from core.config.task_config import is_path
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Question
from core.records.fingerprint import short_id
from core.study.events import Phase
from core.study.listener import Listener
from core.values.derived import named
from store.results import Answer, Results, Selection
from store.rows import AblationRow, CoalitionRow, ShapleyRow
from tui.commands.phase_report import ablation_table, ablation_title, coalition_table, coalition_title, top_players
from tui.drawing.numbers import signed_between
from tui.drawing.plain import plain

_Row = TypeVar("_Row", AblationRow, CoalitionRow, ShapleyRow)


def print_group(phases: Sequence[Phase], results: Results, out: Console, listener: Listener) -> None:
    """Print the results of one schedule on the tasks of a group.

    Args:
        phases: the phases of the schedule, one for each task; at least one.
        results: the store.
        out: where tables go.
        listener: hears of what is missing.
    """
    shown = [phase for phase in phases if phase.value is not None]
    if len(shown) < len(phases):
        listener.narrate(f"{len(phases) - len(shown)} tasks of {phases[0].group} have no score to show")
    if not shown:
        return
    values = {phase.value for phase in shown}
    value = values.pop() if len(values) == 1 else None
    group = _of_group(shown[0])
    match shown[0].question:
        case None:
            _print_sets(shown, group, value, results, out)
        case question if question == Question(LeaveOneOut()):
            _print_ablation(shown, group, value, results, out)
        case Question() as question:
            _print_shapley(shown, group, question, value, results, out)


def _print_sets(phases: Sequence[Phase], group: Selection, value: str | None, results: Results, out: Console) -> None:
    lines = []
    for phase in phases:
        for row in results.coalitions(_of(phase), phase.value).rows:
            drop = _between(row.drop, row.drop_low, row.drop_high)
            lines.append((row.task, row.label, str(row.n), _fixed(row.acc), *drop))
    _print_lines(phases[0], ("removed", "n", _value(value), "drop", "95% interval"), lines, out)
    if whole := _whole(group, lambda: results.coalitions(group, value)):
        out.print(coalition_title(whole), soft_wrap=True)
        out.print(coalition_table(whole))


def _print_ablation(
    phases: Sequence[Phase], group: Selection, value: str | None, results: Results, out: Console
) -> None:
    lines = []
    for phase in phases:
        if rows := results.ablation(_of(phase), phase.value).rows:
            most = max(rows, key=lambda row: row.drop)
            drop = _between(most.drop, most.drop_low, most.drop_high)
            lines.append((most.task, str(most.n), _fixed(most.intact_acc), _fixed(most.chance), most.label, *drop))
    header = ("n", f"intact {_value(value)}", "chance", "most missed", "drop", "95% interval")
    _print_lines(phases[0], header, lines, out)
    if whole := _whole(group, lambda: results.ablation(group, value)):
        out.print(ablation_title(whole), soft_wrap=True)
        out.print(ablation_table(whole))


def _print_shapley(
    phases: Sequence[Phase], group: Selection, question: Question, value: str | None, results: Results, out: Console
) -> None:
    lines = []
    for phase in phases:
        for row in results.answers([question], _of(phase), phase.value).rows:
            if row.rank == 1:
                share = _percent(row.share), _percent(row.share_low), _percent(row.share_high)
                lines.append((row.task, str(row.n), row.label, share[0], f"{share[1]} to {share[2]}"))
    _print_lines(phases[0], ("n", "largest share", "share", "95% interval"), lines, out)
    if whole := _whole(group, lambda: results.answers([question], group, value)):
        out.print(top_players(whole), soft_wrap=True)
        out.print()


def _print_lines(phase: Phase, header: Sequence[str], lines: Sequence[tuple[str, ...]], out: Console) -> None:
    out.print(f"{plain(phase.model.name)} on the tasks of {plain(str(phase.group))}, {phase.schedule}", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task", overflow="fold")
    for name in header:
        table.add_column(plain(name), justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*map(plain, line))
    out.print(table)


def _whole(group: Selection, read: Callable[[], Answer[_Row]]) -> list[_Row]:
    """Return the rows of the group as a whole; none for a tag, and for tasks that a folder names."""
    if group.task is None or is_path(group.task):
        return []
    return [row for row in read().rows if row.task == group.task]


def _of_group(phase: Phase) -> Selection:
    return Selection(short_id(phase.model.fingerprint), phase.group, phase.run)


def _of(phase: Phase) -> Selection:
    task_id = short_id(phase.task.fingerprint, phase.data.fingerprint)
    return Selection(short_id(phase.model.fingerprint), task_id, phase.run)


def _value(value: str | None) -> str:
    return "score" if value is None else named(value)


def _between(drop: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    return (
        "" if drop is None else f"{drop:+.3f}",
        "" if low is None or high is None else signed_between(low, high),
    )


def _fixed(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
