"""How far jobs are, and how they ended, in words and as a number."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from core.config.limit import Limit
from core.config.task_config import TaskConfig
from core.estimators.windows import WindowFirst
from core.evaluator.protocol import UNFINISHED, JobView
from core.study.plan import longest_window
from tui.drawing.numbers import clock, cost_text, whole
from tui.drawing.plain import counted, plain

_SAID = {"cancelled": "was cancelled", "failed": "failed", "interrupted": "was interrupted"}


def jobs_text(jobs: Sequence[JobView]) -> str:
    """Return how far the first of some jobs is, and how many wait behind it."""
    first, *others = jobs
    waiting = f", and {counted(len(others), 'job')} wait{'s' if len(others) == 1 else ''}" if others else ""
    return f"{plain(first.title)} is at {part_of(first):.0%}{waiting}"


def part_of(job: JobView) -> float:
    """Return the part of a job that is done, 0 to 1."""
    return min(max(job.done / job.total, 0.0), 1.0) if job.total else 0.0


def state_text(job: JobView, cancelled: Container[int] = ()) -> str:
    """Return the state of a job in a word or two.

    Args:
        job: the job.
        cancelled: the numbers of jobs that were cancelled, and end after the batch in hand.
    """
    if job.job in cancelled and job.state in UNFINISHED:
        return "cancelling"
    return "waits" if job.state == "queued" else job.state


def end_text(job: JobView, now: datetime) -> str:
    """Return how and when a job ended: ``finished 13:20, 15 040 outcomes (3 200 new), took 06:10``."""
    when = "" if job.ended is None else f" {time_of(job.ended, now)}"
    parts = [f"{_SAID.get(job.state, job.state)}{when}"]
    if job.total:
        new = "" if round(job.evaluated) >= round(job.done) else f" ({whole(job.evaluated)} new)"
        parts.append(f"{whole(job.done)} outcomes{new}")
    if job.elapsed:
        parts.append(f"took {clock(job.elapsed)}")
    return ", ".join(parts)


def time_of(moment: datetime, now: datetime) -> str:
    """Return a moment in local time: ``13:20``, or with its date if it was not today."""
    local, today = moment.astimezone(now.tzinfo), now.date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def documents_text(limit: Limit) -> str:
    """Return how many documents a task a job reads: ``64``, ``10%`` or ``all``."""
    if limit is None:
        return "all"
    return whole(limit) if limit >= 1 else f"{100 * limit:g}%"


def named_task(task: TaskConfig) -> str:
    """Return the name of a task, with the name of its own data file."""
    return task.name if task.data is None else f"{task.name}={task.data.name}"


def stop_text(job: JobView) -> str:
    """Return when a job stops: ``top 3 at 95%``, ``cost .05 at 95%``, or after all documents."""
    config = job.config
    if job.special is not None or not config.decides:
        return "all documents"
    what = f"cost {cost_text(config.until_cost)}" if config.until_top is None else f"top {config.until_top}"
    return f"{what} at {config.confidence:.0%}"


def window_text(job: JobView) -> str:
    """Return the longest window of a job that has one."""
    if job.special is None and WindowFirst.schedule in job.config.schedules:
        return str(longest_window(job.config))
    return ""
