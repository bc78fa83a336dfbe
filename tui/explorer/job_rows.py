"""The table of jobs: the running job first, then those that wait in their order, then the ended ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from core.evaluator.job_words import work_text
from core.evaluator.protocol import UNFINISHED, JobView
from tui.drawing.numbers import at_most, clock, whole
from tui.explorer.job_text import documents_text, named_task, part_of, state_text, stop_text, time_of, window_text
from tui.explorer.listing import Column, Listing, listing
from tui.explorer.state import State

_WIDE: Final = 110


def listed_jobs(state: State) -> tuple[JobView, ...]:
    """Return all jobs in the order in which they are shown."""
    first = [job for job in state.unfinished if job.state != "queued"]
    waiting = [job for job in state.unfinished if job.state == "queued"]
    return (*first, *waiting, *state.ended_jobs)


def job_listing(state: State, width: int, now: datetime) -> Listing:
    """Return a line for each job; those that have ended are quiet.

    Narrow screens have a shorter cell for what is done.

    Args:
        state: what the explorer shows.
        width: how many columns the terminal has.
        now: the time.
    """
    wide = width >= _WIDE

    def when(job: JobView) -> str:
        return "" if job.started is None else time_of(job.started, now)

    def state_of(job: JobView) -> str:
        return state_text(job, state.cancelled)

    columns = (
        Column("job", lambda job: str(job.job), lambda job: job.job, numeric=True, falling=True),
        Column("state", state_of, state_of),
        Column("what", _what, _what, whole=lambda job: str(job.title)),
        Column("done", lambda job: _done(job, wide=wide), _part, numeric=True, falling=True),
        Column("left", _left, _seconds_left, numeric=True),
        Column("tasks", _tasks, _tasks),
        Column("documents", lambda job: documents_text(job.config.limit), lambda job: job.config.limit, numeric=True),
        Column("k", window_text, lambda job: int(window_text(job) or 0) or None, numeric=True),
        Column("stop rule", stop_text, stop_text),
        Column("start", when, lambda job: job.started, falling=True),
        Column("worked", _worked, lambda job: job.elapsed or None, numeric=True, falling=True),
        Column("now", _phase, _phase),
    )
    found = listing(columns, listed_jobs(state))
    lines = tuple(replace(line, quiet=line.row.state not in UNFINISHED) for line in found.lines)
    return replace(found, lines=lines)


def _what(job: Any) -> str:
    return work_text(job.config, job.special)


def _tasks(job: Any) -> str:
    return ", ".join(map(named_task, job.config.tasks))


def _part(job: Any) -> float | None:
    return part_of(job) if job.total else None


def _done(job: Any, *, wide: bool) -> str:
    if not job.total:
        return ""
    counts = f" ({whole(job.done)} of {at_most(job.open_ended)}{whole(job.total)})" if wide else ""
    return f"{part_of(job):.0%}{counts}"


def _seconds_left(job: Any) -> float | None:
    return job.seconds_left if job.state == "running" else None


def _left(job: Any) -> str:
    left = _seconds_left(job)
    return "" if left is None else f"{at_most(job.open_ended)}{clock(left)}"


def _worked(job: Any) -> str:
    return clock(job.elapsed) if job.started is not None else ""


def _phase(job: Any) -> str:
    return job.phase if job.state in {"running", "paused"} else ""
