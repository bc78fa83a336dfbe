"""Sentences on the cost of a run, before anything is evaluated: coalitions x documents, and how long they take."""

from __future__ import annotations

from core.config.limit import documents_in
from core.config.run_config import RunConfig
from core.cost.run_cost import run_cost
from core.cost.run_time import NOTHING, Known, TaskAsked
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Opened
from core.study.plan import schedules_of
from tui.drawing.run_cost_text import counts_text, less_text, time_text, written_text

_NOT_KNOWN = "how long: not known, nothing was measured with this model here yet"


def cost_of(config: RunConfig, opened: Opened, known: Known = NOTHING) -> str:
    """Return three lines, or four where the model writes. They begin with the largest possible cost, without the store.

    Args:
        config: the run, on tasks that are open.
        opened: says which players and how many documents there are.
        known: what is known of this model here.

    Raises:
        CornerstoneError: a schedule is not possible for this number of players.
    """
    schedules = schedules_of(config, opened.model.players)
    tasks = [
        TaskAsked(task.task_id, documents_in(config.limit, task.size), task.most_new)
        for task in tasks_of(config, opened)
    ]
    cost = run_cost(config, schedules, tasks, known)
    time = time_text(cost) or _NOT_KNOWN
    return ";\n".join(filter(None, (counts_text(config, cost), written_text(cost), time, less_text(config))))


def choosable(opened: Opened) -> bool:
    """Return whether each open task can be run without the others: there are several, and no group names them."""
    return 1 < len(opened.tasks) == len(opened.config.tasks)


def tasks_of(config: RunConfig, opened: Opened) -> tuple[BenchTask, ...]:
    """Return the open tasks that a run names."""
    if not choosable(opened):
        return opened.tasks
    each = zip(opened.config.tasks, opened.tasks, strict=True)
    return tuple(task for named, task in each if named in config.tasks)
