"""The jobs of an evaluator: which one is next, what explorers ask of them, and those of earlier evaluators."""

from __future__ import annotations

from pathlib import Path

from core.errors import CornerstoneError
from core.evaluator.job_history import keep_history, read_history
from core.evaluator.jobs import Job
from core.evaluator.protocol import Cancel, JobView, Move, Pause, Resume, StartJob


class JobList:
    """The jobs since the evaluator started, in the order in which they run, and before them the ``past`` ones.

    Their numbers go on from those of earlier evaluators, so that a number names one job.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._jobs: list[Job] = []
        self._kept: tuple[tuple[int, str], ...] = ()
        self._is_lost = False
        self.past = read_history(store)

    @property
    def next(self) -> Job | None:
        """The first job that waits."""
        return next((job for job in self._jobs if job.state == "queued"), None)

    @property
    def views(self) -> tuple[JobView, ...]:
        return tuple(job.view() for job in self._jobs)

    def add(self, request: StartJob) -> bool:
        """Add a job; return whether it takes the place of the same one that an earlier evaluator's end interrupted."""
        last = max([0, *(job.job for job in self.past), *(job.number for job in self._jobs)])
        self._jobs.append(Job(last + 1, request.config, request.command, special=request.special))
        asked = (request.config, request.command, request.special)
        before = self.past
        self.past = tuple(
            job for job in before if job.state != "interrupted" or (job.config, job.command, job.special) != asked
        )
        return self.past != before

    def change(self, request: Pause | Resume | Cancel | Move) -> None:
        """Do what is asked of a job, where it fits the job's state."""
        for job in self._jobs:
            if job.number != request.job:
                continue
            if isinstance(request, Move):
                self._move(job, request.by)
            else:
                job.apply(request)
            return

    def _move(self, job: Job, by: int) -> None:
        waiting = [at for at, each in enumerate(self._jobs) if each.state == "queued"]
        places = [at for at in waiting if self._jobs[at] is job]
        if not places:
            return
        to = waiting.index(places[0]) + by
        if 0 <= to < len(waiting):
            here, there = places[0], waiting[to]
            self._jobs[here], self._jobs[there] = self._jobs[there], self._jobs[here]

    def keep(self) -> str:
        """Write the history, if the state of a job or their order changed; return why it cannot be written, once."""
        now = tuple((job.number, job.state) for job in self._jobs)
        if now == self._kept or self._is_lost:
            return ""
        self._kept = now
        try:
            keep_history(self._store, (*self.past, *self.views))
        except CornerstoneError as error:
            self._is_lost = True
            return f"the list of jobs is not kept for later: {error}"
        return ""
