"""The evaluator's worker: does what is asked in order, and lets a toggle in between two layer batches.

It runs in one thread, and only there is torch touched. Requests come in by a queue; events go out by ``publish``.
"""

from __future__ import annotations

import queue
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.coalitions.players import removed_set
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.jobs import Job
from core.evaluator.open_tasks import Desk
from core.evaluator.protocol import (
    Cancel,
    Event,
    Jobs,
    Narration,
    Open,
    Pause,
    Refusal,
    Request,
    Resume,
    ShutDown,
    StartJob,
    Toggle,
)
from core.evaluator.write_behind import Keeper
from core.records.records import Recorder
from core.study.events import MemoryShort
from core.study.plan import schedules_of
from core.study.workbench import Narrate, Workbench, new_run, same_model

_JOBS_EVERY_S = 0.25
_CHARTS_EVERY_S = 1.0
_CHARTS_PART = 20
"""Charts take at most one part in so many of a sweep's time."""
_FLUSH_S = 10.0


class _EndedError(Exception):
    """The work in hand is to stop: another coalition was toggled, its job was cancelled, or the evaluator ends."""


class Engine:
    """One worker. ``run`` blocks until ``stop`` or a ``ShutDown``; ``submit`` and ``stop`` are for other threads."""

    def __init__(self, recorder: Recorder, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._keeper = Keeper(recorder, lambda: self._inbox.put(None))
        self._desk = Desk(self._keeper)
        self._stopping = self._working = self._opening = False
        self._jobs: list[Job] = []
        self._job: Job | None = None
        self._wanted: Open | None = None
        self._toggle: Toggle | None = None
        self._trouble = ""
        self._jobs_told = self._charts_told = self._charts_took = 0.0
        self._unsaved_told = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is being done or waited for."""
        return not self._working and self._inbox.empty() and not self._keeper.unsaved

    @property
    def deaf(self) -> bool:
        """Whether it was told to end, but loads or downloads something; nothing is lost if it is not waited for."""
        return self._stopping and self._opening and not self._keeper.unsaved

    def submit(self, request: Request) -> None:
        """Ask for something; what comes of it is published."""
        if isinstance(request, ShutDown):
            self.stop()  # at once, as it may be at something that lets no request in
        else:
            self._inbox.put(request)

    def stop(self) -> None:
        """End: drop the chunk in flight, write what waits."""
        self._stopping = True
        self._inbox.put(None)

    def run(self) -> None:
        """Do what is asked until told to stop."""
        try:
            while not self._stopping:
                job = next((job for job in self._jobs if job.state == "queued"), None)
                self._working = job is not None or self._urgent
                self._receive(wait=not self._working)
                self._serve_urgent()
                if job is not None and job.state == "queued" and not self._stopping:
                    self._do(job)
            self._desk.close()
        finally:
            if unsaved := self._keeper.close(_FLUSH_S):
                print(f"{unsaved} outcomes could not be written: {self._keeper.trouble}", flush=True)

    def _receive(self, *, wait: bool) -> None:
        """Take in what was asked; ``wait`` blocks for the first."""
        while True:
            try:
                request = self._inbox.get(block=wait)
            except queue.Empty:
                return
            wait, self._working = False, True
            if request is not None:
                self._take(request)
            self._tell_jobs(now=request is not None or not self._keeper.unsaved)
            self._tell_trouble()

    def _take(self, request: Request) -> None:
        match request:
            case Open():
                self._wanted = request
            case StartJob(config=config, command=command):
                self._jobs.append(Job(len(self._jobs) + 1, config, command))
            case Toggle():
                self._toggle = request
            case Pause() | Resume() | Cancel():
                for job in self._jobs:
                    if job.number == request.job:
                        job.heed(request)

    @property
    def _urgent(self) -> bool:
        return self._wanted is not None or self._toggle is not None

    def _serve_urgent(self) -> None:
        """What an explorer waits for: the workbench, then the coalition toggled last."""
        while self._urgent and not self._stopping:
            try:
                self._serve_one()
            except _EndedError:
                pass
            except CornerstoneError as error:
                self._publish(Refusal(text=str(error)))
            except Exception as error:  # noqa: BLE001 the evaluator outlives a fault in one request
                traceback.print_exc()
                self._publish(Refusal(text=f"a fault in the evaluator ({error!r}); its log has the traceback"))

    def _serve_one(self) -> None:
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._open(wanted.config)
        elif self._toggle is not None:
            toggle, self._toggle = self._toggle, None
            self._evaluate(toggle)

    def _open(self, config: RunConfig) -> Workbench:
        bench = self._desk.bench
        sweeping = self._job is not None and self._job.started
        if sweeping and bench is not None and not same_model(bench.config, config):
            raise CornerstoneError(
                f"{bench.config.model} is being swept; cancel its job or wait for it, then choose another model"
            )
        with self._narrating() as narrate:
            self._opening = True
            try:
                bench = self._desk.open(config, narrate, self._breathe_opening, keep=sweeping)
            finally:
                self._opening = False
        if self._toggle is not None and not self._desk.offers(self._toggle.task):
            self._toggle = None
        if (opened := self._desk.opened()) is not None:
            self._publish(opened)
        self._tell_charts(every=True)
        return bench

    def _evaluate(self, toggle: Toggle) -> None:
        try:
            for scored in self._desk.evaluate(toggle.task, removed_set(toggle.removed), self._breathe_toggle):
                self._publish(scored)
        except _EndedError:
            self._toggle = self._toggle or toggle  # in place of it, or after what is opened now
            return
        self._tell_charts(now=True)

    def _do(self, job: Job) -> None:
        self._job, job.state = job, "running"
        self._tell_jobs(now=True)
        try:
            bench = self._open(job.config)
            self._sweep(job, bench)
            job.state = "finished"
        except _EndedError:
            # When the evaluator ends nobody has cancelled it: an explorer that starts another goes on with it.
            job.state = job.state if self._stopping else "cancelled"
        except CornerstoneError as error:
            job.state, job.error = "failed", str(error)
        except Exception:  # noqa: BLE001 a job's fault is its own, told in full
            job.state, job.error = "failed", traceback.format_exc()
        finally:
            self._job = None
            job.meter.stop()
            self._tell_charts(now=True)
            self._tell_jobs(now=True)

    def _sweep(self, job: Job, bench: Workbench) -> None:
        schedules = schedules_of(job.config, bench.model.players)
        run = new_run(job.config, job.command)
        self._keeper.begin(run)
        documents = sum(len(task.documents) for task in bench.tasks)
        job.begin(documents * sum(schedule.size for schedule in schedules))
        finished = False
        try:
            for event in bench.study(bench.tasks, schedules).run(run.run_id, self._keeper, self._breathe_job):
                job.follow(event)
                if isinstance(event, MemoryShort):
                    self._publish(Refusal(text=event.sentence))
                self._tell_charts()
                self._tell_jobs()
            finished = True
        finally:
            self._keeper.finish(run.run_id, "finished" if finished else "stopped")

    def _breathe_opening(self) -> None:
        self._receive(wait=False)
        job = self._job
        if self._stopping or (job is not None and job.state == "cancelled") or (job is None and self._wanted):
            raise _EndedError
        if job is not None and job.started:
            raise CornerstoneError("another program uses the store; choose again when it is free: the sweep goes on")

    def _breathe_toggle(self, _done: float) -> None:
        self._receive(wait=False)
        if self._stopping or self._urgent:
            raise _EndedError

    def _breathe_job(self, done: float) -> None:
        job = self._job
        assert job is not None
        job.meter.advance(done)
        self._receive(wait=False)
        if self._urgent or job.state == "paused":
            with job.meter.held():
                self._serve_urgent()
                while job.state == "paused" and not self._stopping:
                    self._receive(wait=True)
                    self._serve_urgent()
        if self._stopping or job.state == "cancelled":
            raise _EndedError
        self._tell_jobs()

    def _tell_jobs(self, *, now: bool = False) -> None:
        unsaved = self._keeper.unsaved
        all_written = self._unsaved_told > 0 and unsaved == 0
        if now or all_written or time.monotonic() - self._jobs_told > _JOBS_EVERY_S:
            self._jobs_told, self._unsaved_told = time.monotonic(), unsaved
            self._publish(Jobs(jobs=tuple(job.view() for job in self._jobs), unsaved=unsaved))

    def _tell_charts(self, *, now: bool = False, every: bool = False) -> None:
        """Publish the charts that have changed, or every one, but while others wait for a small part of the time."""
        start = time.monotonic()
        if now or every or start - self._charts_told > max(_CHARTS_EVERY_S, _CHARTS_PART * self._charts_took):
            for charts in self._desk.charts(every=every):
                self._publish(charts)
            self._charts_told = time.monotonic()
            self._charts_took = self._charts_told - start

    def _tell_trouble(self) -> None:
        trouble = self._keeper.trouble
        if trouble != self._trouble:
            self._trouble = trouble
            self._publish(Refusal(text=f"{trouble}; meanwhile outcomes wait in memory" if trouble else ""))

    @contextmanager
    def _narrating(self) -> Iterator[Narrate]:
        def narrate(text: str) -> None:
            self._publish(Narration(text=text))
            if self._stopping:
                raise _EndedError

        try:
            yield narrate
        finally:
            self._publish(Narration(text=""))
