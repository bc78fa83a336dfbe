"""Count what a run costs before it begins, as if nothing of it were stored yet. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.config.run_config import RunConfig
from core.cost.run_time import Known, RunTime, TaskAsked, run_time
from core.cost.stored import stored_bytes
from core.study.plan import Schedule, most_coalitions


@dataclass(frozen=True, slots=True)
class RunCost:
    """The cost of a run.

    Attributes:
        coalitions: how many are evaluated; at most, if the run chooses some ``in_rounds``.
        tasks: each task with the number of its documents.
        in_rounds: whether the number of coalitions is a bound.
        ends_early: whether the run may end before its documents do.
        store_bytes: that its outcomes take in a store; None where the sizes of a task are not known.
        memory_bytes: that are taken at once at the most; None where the sizes of a task are not known, where workers
            evaluate, or where the model writes.
        time: how long it takes; None where that is not known.
    """

    coalitions: int
    tasks: tuple[TaskAsked, ...]
    in_rounds: bool
    ends_early: bool
    store_bytes: int | None
    memory_bytes: int | None
    time: RunTime | None

    @property
    def documents(self) -> int:
        return sum(task.documents for task in self.tasks)

    @property
    def outcomes(self) -> int:
        return self.coalitions * self.documents


def run_cost(config: RunConfig, schedules: Sequence[Schedule], tasks: Sequence[TaskAsked], known: Known) -> RunCost:
    """Return what a run costs.

    Args:
        config: the run.
        schedules: its schedules, for the players of the model.
        tasks: its tasks.
        known: what is known of the model on this machine.
    """
    coalitions = most_coalitions(schedules)
    return RunCost(
        coalitions=coalitions,
        tasks=tuple(tasks),
        in_rounds=any(schedule.in_rounds for schedule in schedules),
        ends_early=config.decides,
        store_bytes=_stored(coalitions, tasks, known),
        memory_bytes=_needed(config, coalitions, tasks, known),
        time=run_time(config, tasks, schedules, known),
    )


def _stored(coalitions: int, tasks: Sequence[TaskAsked], known: Known) -> int | None:
    """Return the bytes of the outcomes in a store; None if a task is not open."""
    total = 0
    for task in tasks:
        document = None if known.work is None else known.work.of(task.task_id)
        if document is None:
            return None
        total += stored_bytes(coalitions * task.documents, document.requests)
    return total


def _needed(config: RunConfig, coalitions: int, tasks: Sequence[TaskAsked], known: Known) -> int | None:
    """Return the bytes of memory that are taken at once; None where that is not known."""
    if known.work is None or known.work.memory is None or config.workers is not None or config.ray is not None:
        return None
    documents = [(task.documents, known.work.of(task.task_id)) for task in tasks]
    sized = [(count, each.rows.tokens) for count, each in documents if each is not None and not each.writes]
    return known.work.memory.needed(coalitions, sized) if len(sized) == len(tasks) else None
