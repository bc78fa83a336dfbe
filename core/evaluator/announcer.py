"""Tell explorers of jobs, charts, workers and trouble: at once, or now and then where they change all the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from core.errors import CornerstoneError
from core.evaluator.job_list import JobList
from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.open_tasks import OpenTasks
from core.evaluator.protocol import Event, Jobs, Narration, Refusal, Toggle, Workers
from core.machine.byte_count import part_in_bytes
from core.machine.fault_log import fault_sentence
from core.study.worker_view import WorkerView

_BYTES_EVERY_S = 0.5
_JOBS_EVERY_S = 0.25
_CHARTS_EVERY_S = 1.0
_CHARTS_PART = 20
"""Charts take at most 1 / ``_CHARTS_PART`` of a sweep's time."""


class Announcer:
    """Publishes what has changed."""

    def __init__(
        self, publish: Callable[[Event], None], jobs: JobList, recorder: LiveRecorder, open_tasks: OpenTasks
    ) -> None:
        """Make an announcer.

        Args:
            publish: sends an event to every explorer.
            jobs: the jobs.
            recorder: says which outcomes are not written yet, and why.
            open_tasks: have the charts.
        """
        self.publish = publish
        self._jobs = jobs
        self._recorder = recorder
        self._open_tasks = open_tasks
        self._bytes_at = self._jobs_at = self._charts_at = self._charts_took = 0.0
        self._unsaved = 0
        self._trouble = ("", False)

    def narrate(self, text: str) -> None:
        """Publish a sentence on present work, empty once it is over."""
        self.publish(Narration(text=text))

    def bytes(self, what: str, done: int, total: int) -> None:
        """Publish now and then how much is loaded, in the words of ``Listener.on_bytes``."""
        if done >= total or time.monotonic() - self._bytes_at > _BYTES_EVERY_S:
            self._bytes_at = time.monotonic()
            self.narrate(f"{what}, {part_in_bytes(done, total)}")

    def refuse(self, error: Exception, *, asked: str = "", toggle: Toggle | None = None) -> None:
        """Publish why a request has failed; ``asked`` and ``toggle`` are those of ``Refusal``."""
        if isinstance(error, CornerstoneError):
            self.publish(Refusal(text=str(error), mend=error.mend, asked=asked, toggle=toggle))
        else:
            self.publish(Refusal(text=f"in the evaluator, {fault_sentence(error)}", asked=asked, toggle=toggle))

    def workers(self, job: int, workers: Sequence[WorkerView]) -> None:
        """Publish what each worker of a job does."""
        self.publish(Workers(job=job, workers=tuple(workers)))

    def jobs(self, *, now: bool = False) -> None:
        """Publish the jobs, where it is time or all outcomes are written."""
        unsaved = self._recorder.unsaved
        all_written = self._unsaved > 0 and unsaved == 0
        if now or all_written or time.monotonic() - self._jobs_at > _JOBS_EVERY_S:
            self._jobs_at, self._unsaved = time.monotonic(), unsaved
            if not_kept := self._jobs.keep():
                self.publish(Refusal(text=not_kept))
            self.publish(Jobs(jobs=self._jobs.views, unsaved=unsaved))

    def charts(self, *, now: bool = False, every: bool = False) -> None:
        """Publish changed charts, or all; during a sweep only now and then, because charts take time."""
        start = time.monotonic()
        if now or every or start - self._charts_at > max(_CHARTS_EVERY_S, _CHARTS_PART * self._charts_took):
            for charts in self._open_tasks.charts(every=every):
                self.publish(charts)
            self._charts_at = time.monotonic()
            self._charts_took = self._charts_at - start

    def trouble(self) -> None:
        """Publish what keeps outcomes from being written, where that has changed."""
        status = self._recorder.status
        if status.kind != self._trouble:
            self._trouble = status.kind
            mend = None if status.trouble is None else status.trouble.mend
            self.publish(Refusal(text=status.sentence, mend=mend))
        for notice in self._recorder.take_notices():
            print(notice, flush=True)
            self.publish(Refusal(text=notice))
