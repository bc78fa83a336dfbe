"""The evaluator's worker: it does requests in order, and evaluates a toggle between two layer batches.

It runs in one thread, the only one that uses torch. Requests come in by a queue; events go out by ``publish``.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.coalitions.players import removed_set
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.jobs import Job
from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.open_tasks import OpenTasks
from core.evaluator.protocol import (
    Cancel,
    Event,
    Jobs,
    MemoryWasShort,
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
from core.machine.fault_log import fault_sentence
from core.records.records import Recorder
from core.study.events import MemoryShort
from core.study.listener import Callbacks, Listener
from core.study.plan import schedules_of
from core.study.recorded_run import recorded_run
from core.study.workbench import Workbench, new_run

_JOBS_EVERY_S = 0.25
_CHARTS_EVERY_S = 1.0
_CHARTS_PART = 20
"""Charts take at most 1 / ``_CHARTS_PART`` of a sweep's time."""
_FLUSH_S = 10.0


class _EndedError(Exception):
    """The work in hand must stop: another coalition was toggled, its job was cancelled, or the evaluator ends."""


class Engine:
    """One worker. ``run`` blocks until ``stop`` or a ``ShutDown``; ``submit`` and ``stop`` are for other threads."""

    def __init__(self, store: Path, recorder: Recorder, publish: Callable[[Event], None]) -> None:
        """Make a worker.

        Args:
            store: the file that the outcomes are kept in.
            recorder: writes to it.
            publish: sends an event to every explorer.
        """
        self._publish = publish
        self._inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._recorder = LiveRecorder(recorder, store, lambda: self._inbox.put(None))
        self._open_tasks = OpenTasks(self._recorder)
        self._stopping = self._working = self._opening = False
        self._jobs: list[Job] = []
        self._job: Job | None = None
        self._wanted: Open | None = None
        self._toggle: Toggle | None = None
        self._trouble = ("", False)
        self._jobs_published_at = self._charts_published_at = self._charts_took = 0.0
        self._unsaved_published = 0

    @property
    def idle(self) -> bool:
        """Whether nothing runs, waits or has to be written."""
        return not self._working and self._inbox.empty() and not self._recorder.unsaved

    @property
    def unresponsive(self) -> bool:
        """Whether it was asked to stop but still loads something, so that ending it loses nothing."""
        return self._stopping and self._opening and not self._recorder.unsaved

    def submit(self, request: Request) -> None:
        """Submit a request. Its result is published."""
        if isinstance(request, ShutDown):
            self.stop()  # at once, as it may be busy with something that takes no requests
        else:
            self._inbox.put(request)

    def stop(self) -> None:
        """Stop: drop the chunk in flight, and write the outcomes that wait."""
        self._stopping = True
        self._inbox.put(None)

    def run(self) -> None:
        """Do requests until ``stop``."""
        try:
            with self._open_tasks:
                while not self._stopping:
                    job = next((job for job in self._jobs if job.state == "queued"), None)
                    self._working = job is not None or self._urgent
                    self._receive(wait=not self._working)
                    self._serve_urgent()
                    if job is not None and job.state == "queued" and not self._stopping:
                        self._do(job)
        finally:
            left = self._recorder.close(_FLUSH_S)
            if left.outcomes:
                kept = f"{left.outcomes - left.unsafe} wait in {left.spool}, {left.unsafe} are lost"
                print(f"{left.outcomes} outcomes could not be written: {kept}: {left.trouble}", flush=True)

    def _receive(self, *, wait: bool) -> None:
        """Take the requests that came in; with ``wait``, wait for the first."""
        while True:
            try:
                request = self._inbox.get(block=wait)
            except queue.Empty:
                return
            wait, self._working = False, True
            if request is not None:
                self._take(request)
            self._publish_jobs(now=request is not None or not self._recorder.unsaved)
            self._publish_trouble()

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
                        job.apply(request)

    @property
    def _urgent(self) -> bool:
        return self._wanted is not None or self._toggle is not None

    def _serve_urgent(self) -> None:
        """Do the work that an explorer waits for: open the tasks, then evaluate the last toggled coalition."""
        while self._urgent and not self._stopping:
            try:
                self._serve_one()
            except _EndedError:
                pass
            except CornerstoneError as error:
                self._publish(Refusal(text=str(error), mend=error.mend))
            except Exception as error:  # noqa: BLE001 the evaluator outlives a fault in one request
                self._publish(Refusal(text=f"in the evaluator, {fault_sentence(error)}"))

    def _serve_one(self) -> None:
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._open(wanted.config)
        elif self._toggle is not None:
            toggle, self._toggle = self._toggle, None
            self._evaluate(toggle)

    def _open(self, config: RunConfig) -> Workbench:
        bench = self._open_tasks.bench
        sweeping = self._job is not None and self._job.started
        if sweeping and bench is not None and not bench.holds(config):
            raise CornerstoneError(
                f"{bench.config.model} is being swept; cancel its job or wait for it, then choose another model"
            )
        with self._opening_listener() as listener:
            bench = self._open_tasks.open(config, listener, keep=sweeping)
        if self._toggle is not None and not self._open_tasks.offers(self._toggle.task):
            self._toggle = None
        if (opened := self._open_tasks.opened()) is not None:
            self._publish(opened)
        for notice in self._open_tasks.notices:
            self._publish(Refusal(text=notice))
        self._publish_charts(every=True)
        return bench

    def _evaluate(self, toggle: Toggle) -> None:
        try:
            with self._listening(self._between_toggle_batches) as listener:
                for scored in self._open_tasks.evaluate(toggle.task, removed_set(toggle.removed), listener):
                    self._publish(scored)
        except _EndedError:
            self._toggle = self._toggle or toggle  # in place of it, or after what is opened now
            return
        self._publish_charts(now=True)

    def _do(self, job: Job) -> None:
        self._job, job.state = job, "running"
        self._publish_jobs(now=True)
        try:
            bench = self._open(job.config)
            self._sweep(job, bench)
            job.state = "finished"
        except _EndedError:
            # When the evaluator ends nobody has cancelled it: an explorer that starts another goes on with it.
            job.state = job.state if self._stopping else "cancelled"
        except CornerstoneError as error:
            job.state, job.error, job.mend = "failed", str(error), error.mend
        except Exception as error:  # noqa: BLE001 a job's fault is its own
            job.state, job.error = "failed", fault_sentence(error)
        finally:
            self._job = None
            job.meter.stop()
            self._publish_charts(now=True)
            self._publish_jobs(now=True)

    def _sweep(self, job: Job, bench: Workbench) -> None:
        schedules = schedules_of(job.config, bench.model.players)
        study = bench.study(bench.tasks, schedules, value=job.config.value)
        with recorded_run(self._recorder, new_run(job.config, job.command)) as run_id:
            documents = sum(len(task.documents) for task in bench.tasks)
            job.begin(documents * sum(schedule.size for schedule in schedules))
            with self._listening(self._between_job_batches) as listener:
                for event in study.run(run_id, self._recorder, listener):
                    job.follow(event)
                    if isinstance(event, MemoryShort):
                        self._publish(MemoryWasShort())
                    self._publish_charts()
                    self._publish_jobs()

    def _while_opening(self, _done: float) -> None:
        self._receive(wait=False)
        job = self._job
        if self._stopping or (job is not None and job.state == "cancelled") or (job is None and self._wanted):
            raise _EndedError
        if job is not None and job.started:
            raise CornerstoneError("another program uses the store; choose again when it is free: the sweep goes on")

    def _between_toggle_batches(self, _done: float) -> None:
        self._receive(wait=False)
        if self._stopping or self._urgent:
            raise _EndedError

    def _between_job_batches(self, done: float) -> None:
        job = self._job
        assert job is not None
        job.meter.advance(done)
        self._receive(wait=False)
        if self._urgent or self._held(job):
            with job.meter.held():
                self._serve_urgent()
                while self._held(job):
                    self._receive(wait=True)
                    self._serve_urgent()
        if self._stopping or job.state == "cancelled":
            raise _EndedError
        self._publish_jobs()

    def _held(self, job: Job) -> bool:
        """Return whether a job waits: it was paused, or what it evaluates could not be kept."""
        return not self._stopping and (job.state == "paused" or (job.state == "running" and self._recorder.stuck))

    @contextmanager
    def _listening(self, on_batch: Callable[[float], None]) -> Iterator[Listener]:
        """Yield a listener to evaluation, which also takes requests while outcomes cannot be kept."""
        before = self._recorder.while_waiting
        self._recorder.while_waiting = lambda: on_batch(0.0)
        try:
            yield Callbacks(on_batch=on_batch)
        finally:
            self._recorder.while_waiting = before

    def _publish_jobs(self, *, now: bool = False) -> None:
        unsaved = self._recorder.unsaved
        all_written = self._unsaved_published > 0 and unsaved == 0
        if now or all_written or time.monotonic() - self._jobs_published_at > _JOBS_EVERY_S:
            self._jobs_published_at, self._unsaved_published = time.monotonic(), unsaved
            self._publish(Jobs(jobs=tuple(job.view() for job in self._jobs), unsaved=unsaved))

    def _publish_charts(self, *, now: bool = False, every: bool = False) -> None:
        """Publish changed charts, or all; during a sweep only now and then, because charts take time."""
        start = time.monotonic()
        if now or every or start - self._charts_published_at > max(_CHARTS_EVERY_S, _CHARTS_PART * self._charts_took):
            for charts in self._open_tasks.charts(every=every):
                self._publish(charts)
            self._charts_published_at = time.monotonic()
            self._charts_took = self._charts_published_at - start

    def _publish_trouble(self) -> None:
        status = self._recorder.status
        if status.kind != self._trouble:
            self._trouble = status.kind
            mend = None if status.trouble is None else status.trouble.mend
            self._publish(Refusal(text=status.sentence, mend=mend))
        for notice in self._recorder.take_notices():
            print(notice, flush=True)
            self._publish(Refusal(text=notice))

    @contextmanager
    def _opening_listener(self) -> Iterator[Listener]:
        """Yield a listener for opening a workbench; it publishes each sentence, and ends the work on ``stop``."""

        def narrate(text: str) -> None:
            self._publish(Narration(text=text))
            if self._stopping:
                raise _EndedError

        self._opening = True
        try:
            yield Callbacks(narrate, self._while_opening)
        finally:
            self._opening = False
            self._publish(Narration(text=""))
