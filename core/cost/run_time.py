"""How long a run takes: by rates that were measured, or by its operations and a measured speed. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.config.run_config import RunConfig
from core.cost.open_work import OpenWork
from core.cost.rates import Rate
from core.cost.schedule_work import new_coalitions, work_under
from core.cost.work import added
from core.study.plan import Schedule, shared_coalitions

Basis = Literal["measured", "operations", "alike"]
"""Rates of the same tasks and schedules, the operations at a measured speed, or rates of other tasks or schedules."""

_MOST_STEPS: Final = 500_000
"""Operations of more coalitions times layers are not counted: that would take longer than a tenth of a second."""


@dataclass(frozen=True, slots=True)
class TaskAsked:
    """A task that a run is on, and how many documents it takes. ``most_new``: the most tokens of a written answer."""

    task_id: str
    documents: int
    most_new: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model on this machine: measured rates, and the sizes of what is open."""

    rates: Sequence[Rate] = ()
    work: OpenWork | None = None


NOTHING: Final = Known()


@dataclass(frozen=True, slots=True)
class RunTime:
    """The seconds of a run of which nothing is stored, its mean rate, and how they are known."""

    seconds: float
    per_second: float
    basis: Basis


def run_time(
    config: RunConfig, tasks: Sequence[TaskAsked], schedules: Sequence[Schedule], known: Known
) -> RunTime | None:
    """Return how long a run takes; None if nothing is known that tells it.

    What was measured on the same tasks and schedules comes first, then the operations of the run, and last what was
    measured on others.
    """
    measured = _by_rates(tasks, schedules, known.rates)
    if measured is not None and measured.basis == "measured":
        return measured
    return _by_operations(config, tasks, schedules, known.work) or measured


def _by_rates(tasks: Sequence[TaskAsked], schedules: Sequence[Schedule], rates: Sequence[Rate]) -> RunTime | None:
    """Return the time of a run by the nearest rates; None if nothing was measured yet."""
    shared, seconds, outcomes, same = shared_coalitions(schedules), 0.0, 0, True
    for schedule in schedules:
        for task in tasks:
            rate = nearest(rates, task.task_id, schedule.name)
            if rate is None:
                return None
            count = (schedule.size - shared[schedule.name]) * task.documents
            outcomes += count
            seconds += count / rate.per_second
            same &= (rate.task_id, rate.schedule) == (task.task_id, schedule.name)
    return _time(seconds, outcomes, "measured" if same else "alike")


def _by_operations(
    config: RunConfig, tasks: Sequence[TaskAsked], schedules: Sequence[Schedule], work: OpenWork | None
) -> RunTime | None:
    """Return the time of a run by its operations.

    None if the speed is not known, a task is not open or has the model write, workers share the run, or its coalitions
    are too many to be counted soon.
    """
    if work is None or work.flops is None or config.workers is not None or config.ray is not None:
        return None
    parts = list(new_coalitions(schedules))
    if sum(len(coalitions) for coalitions, _ in parts) * len(work.model.layers) > _MOST_STEPS:
        return None
    rows = []
    for task in tasks:
        document = work.of(task.task_id)
        if document is None or document.writes:
            return None
        rows.append(document.rows.times(task.documents))
    together = added(rows, len(work.model.sights))
    flops = sum(work_under(work.model, together, coalitions, most) for coalitions, most in parts)
    count = sum(len(coalitions) or most for coalitions, most in parts)
    return _time(flops / work.flops, count * sum(task.documents for task in tasks), "operations")


def _time(seconds: float, outcomes: int, basis: Basis) -> RunTime:
    return RunTime(seconds, outcomes / seconds if seconds else 0.0, basis)


def nearest(rates: Sequence[Rate], task_id: str, schedule: str) -> Rate | None:
    """Return the latest rate of the task and schedule; else of the task, the kind of schedule, or anything at all."""
    kind = schedule.split(maxsplit=1)[0]

    def likeness(rate: Rate) -> tuple[bool, bool, bool]:
        return rate.task_id == task_id, rate.schedule == schedule, rate.schedule.split()[0] == kind

    usable = [rate for rate in rates if rate.per_second > 0 and rate.schedule.strip()]
    return max(reversed(usable), key=likeness, default=None)
