"""How far jobs are, in words and as a number."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluator.protocol import JobView
from tui.drawing.plain import counted, plain


def jobs_text(jobs: Sequence[JobView]) -> str:
    """Return how far the first of some jobs is, and how many wait behind it."""
    first, *others = jobs
    waiting = f", and {counted(len(others), 'job')} wait{'s' if len(others) == 1 else ''}" if others else ""
    return f"{plain(first.title)} is at {part_of(first):.0%}{waiting}"


def part_of(job: JobView) -> float:
    """Return the part of a job that is done, 0 to 1."""
    return min(max(job.done / job.total, 0.0), 1.0) if job.total else 0.0
