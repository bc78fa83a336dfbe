"""The evaluator's worker: it does requests in order, and evaluates a toggle or says something between layer batches.

It runs in one thread, the only one that uses torch. Requests come in by a queue; events go out by ``publish``.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

from core.coalitions.players import removed_set
from core.config.limit import Limit, larger_limit
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.announcer import Announcer
from core.evaluator.crewing import Crewing
from core.evaluator.job_list import JobList
from core.evaluator.jobs import Job
from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.open_speeds import OpenSpeeds
from core.evaluator.open_tasks import OpenTasks
from core.evaluator.protocol import (
    Cancel,
    Event,
    GiveUp,
    MemoryWasShort,
    Move,
    Open,
    PastJobs,
    Pause,
    Refusal,
    Request,
    Resume,
    Say,
    ShutDown,
    StartJob,
    StopSaying,
    Toggle,
)
from core.evaluator.special_job import SpecialListener, do_special
from core.evaluator.speech import Speech
from core.evaluator.sweep_job import do_sweep
from core.machine.fault_log import fault_sentence
from core.records.records import Recorder
from core.study.events import MemoryShort, PhaseFinished, StudyEvent
from core.study.listener import Callbacks, Listener
from core.study.recorded_run import WorkCancelledError, WorkEndedError
from core.study.workbench import Workbench

_FLUSH_S = 10.0
_SAY_S = 0.5
"""For so long a sweep stands aside for a prompt, between two layer batches."""

_REPLACED = "another choice came before this one was open"
_GIVEN_UP = "given up; what was open before is still open"


class _EndedError(WorkEndedError):
    """The work in hand must stop: another coalition was toggled, its job was cancelled, or the evaluator ends."""


class _CancelledError(_EndedError, WorkCancelledError):
    """The job in hand was cancelled."""


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
        self._store = store
        self._inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._recorder = LiveRecorder(recorder, store, lambda: self._inbox.put(None))
        self._open_tasks = OpenTasks(self._recorder)
        self._speech = Speech(publish)
        self._stopping = self._working = self._opening = False
        self._jobs = JobList(store)
        self._speeds: OpenSpeeds | None = None
        self._job: Job | None = None
        self._wanted: Open | None = None
        self._in_hand: Open | None = None
        self._opening_ended = ""
        self._toggle: Toggle | None = None
        self._crewing = Crewing(self._open_tasks)
        self._tell = Announcer(publish, self._jobs, self._recorder, self._open_tasks)

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
            if self._jobs.past:
                self._publish(PastJobs(jobs=self._jobs.past))
            while not self._stopping:
                job = self._jobs.next
                self._working = job is not None or self._urgent or self._speech.waits
                self._receive(wait=not self._working)
                self._serve_urgent()
                if self._speech.waits and not self._stopping:
                    self._say()
                elif job is not None and job.state == "queued" and not self._stopping:
                    self._do(job)
        finally:
            self._speech.close()
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
            self._tell.jobs(now=request is not None or not self._recorder.unsaved)
            self._tell.trouble()

    def _take(self, request: Request) -> None:
        match request:
            case Open():
                self._refuse_wanted(_REPLACED)
                self._wanted = request
            case GiveUp(asked=asked):
                if self._wanted is not None and self._wanted.asked == asked:
                    self._refuse_wanted(_GIVEN_UP)
                elif self._in_hand is not None and self._in_hand.asked == asked:
                    self._opening_ended = _GIVEN_UP
            case StartJob():
                if self._jobs.add(request):
                    self._publish(PastJobs(jobs=self._jobs.past))
            case Toggle():
                self._toggle = request
            case Say() | StopSaying():
                self._speech.take(request)
            case Pause() | Resume() | Cancel() | Move():
                self._jobs.change(request)

    def _refuse_wanted(self, why: str) -> None:
        """Drop the choice that waits to be opened, if there is one, and tell the explorer that asked for it."""
        if self._wanted is not None:
            self._publish(Refusal(text=why, asked=self._wanted.asked))
            self._wanted = None

    @property
    def _urgent(self) -> bool:
        return self._wanted is not None or self._toggle is not None

    def _serve_urgent(self) -> None:
        """Do the work that an explorer waits for: open the tasks, then evaluate the last toggled coalition."""
        while self._urgent and not self._stopping:
            with suppress(_EndedError):
                self._serve_one()

    def _serve_one(self) -> None:
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._open_wanted(wanted)
        elif self._toggle is not None:
            toggle, self._toggle = self._toggle, None
            self._evaluate(toggle)

    def _open_wanted(self, wanted: Open) -> None:
        """Open what an explorer has chosen, or tell it why not."""
        self._in_hand = wanted
        try:
            by_hand = wanted.config.limit if wanted.by_hand is None else wanted.by_hand
            self._open(wanted.config, by_hand, wanted.asked)
        except _EndedError:
            if not self._stopping:
                self._publish(Refusal(text=self._opening_ended or _REPLACED, asked=wanted.asked))
            raise
        except Exception as error:  # noqa: BLE001 the evaluator outlives a fault in one request
            self._tell.refuse(error, asked=wanted.asked)
        finally:
            self._in_hand = None

    def _open(self, config: RunConfig, by_hand: Limit, asked: str = "") -> Workbench:
        bench = self._open_tasks.bench
        sweeping = self._job is not None and (self._job.under_way or self._crewing.needs_model)
        if sweeping and bench is not None and not bench.holds(config):
            raise CornerstoneError(
                f"{bench.config.model} is being swept; cancel its job or wait for it, then choose another model"
            )
        self._opening_ended = ""
        try:
            with self._opening_listener() as listener:
                bench = self._open_tasks.open(config, listener, keep=sweeping, by_hand=by_hand)
        except CornerstoneError:
            if self._opening_ended:  # a library has wrapped what ended it
                raise _EndedError from None
            raise
        self._speech.opened(bench.model)
        if self._toggle is not None and not self._open_tasks.offers(self._toggle.task):
            self._toggle = None
        if (opened := self._open_tasks.opened()) is not None:
            self._publish(opened.model_copy(update={"asked": asked}))
            self._speeds = OpenSpeeds(bench)
            self._publish(self._speeds.event)
        for notice in self._open_tasks.notices:
            self._publish(Refusal(text=notice))
        self._tell.charts(every=True)
        return bench

    def _evaluate(self, toggle: Toggle) -> None:
        try:
            with self._listening(self._between_toggle_batches) as listener:
                for scored in self._open_tasks.evaluate(toggle.task, removed_set(toggle.removed), listener):
                    self._publish(scored)
        except _EndedError:
            self._toggle = self._toggle or toggle  # in place of it, or after what is opened now
        except Exception as error:  # noqa: BLE001 the evaluator outlives a fault in one request
            self._tell.refuse(error, toggle=toggle)
        else:
            self._tell.charts(now=True)

    def _say(self) -> None:
        self._speech.advance(self._open_tasks.bench, _SAY_S)

    def _do(self, job: Job) -> None:
        self._job = job
        job.start()
        self._tell.jobs(now=True)
        try:
            if job.special is None:
                self._sweep(job, self._open_for(job))
            else:
                self._do_special(job, self._open_for(job))
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
            self._tell.workers(job.number, ())
            self._tell.narrate("")
            self._measured(job)
            if not self._stopping:
                job.end()
            self._tell.charts(now=True)
            self._tell.jobs(now=True)

    def _open_for(self, job: Job) -> Workbench:
        """Open what a job needs. What is open of the same model stays open: its documents, and the tasks of a sweep."""
        bench, config = self._open_tasks.bench, job.config
        if bench is None or not bench.holds(config):
            return self._open(config, config.limit if bench is None else self._open_tasks.by_hand)
        more: dict[str, object] = {"limit": larger_limit(config.limit, bench.config.limit)}
        if job.special is None and set(config.tasks) < set(bench.config.tasks):
            more["tasks"] = bench.config.tasks
        return self._open(config.model_copy(update=more), self._open_tasks.by_hand)

    def _sweep(self, job: Job, bench: Workbench) -> None:
        with self._listening(self._between_job_batches) as listener:
            tell_workers = partial(self._tell.workers, job.number)
            told = Callbacks(self._tell.narrate, listener.on_batch, on_workers=tell_workers)
            do_sweep(job, bench, self._recorder, told, self._crewing, partial(self._follow, job))

    def _follow(self, job: Job, event: StudyEvent) -> None:
        """Take an event of a job's study, and tell what it changes."""
        if isinstance(event, PhaseFinished):
            self._measured(job)
        job.follow(event)
        if isinstance(event, MemoryShort):
            self._publish(MemoryWasShort())
        self._tell.charts()
        self._tell.jobs()

    def _measured(self, job: Job) -> None:
        """Keep how fast the phases of a job are, and tell it."""
        if job.special is None and self._speeds is not None and job.speeds:
            for speed in job.speeds:
                self._speeds.take(speed)
            self._publish(self._speeds.event)

    def _do_special(self, job: Job, bench: Workbench) -> None:
        """Search the path, or measure the proxies, that a job asks for; keep what is found."""
        with self._listening(self._between_job_batches) as listener:
            follow = SpecialListener(job, listener.on_batch, self._tell.charts, self._publish)
            follow.tell_workers = partial(self._tell.workers, job.number)
            do_special(job, bench, self._recorder, self._store, follow, self._crewing)

    def _while_opening(self) -> None:
        """Take requests; end the opening where it is not wanted any more."""
        self._receive(wait=False)
        job = self._job
        if self._stopping or (job is not None and job.state == "cancelled") or (job is None and self._wanted):
            self._opening_ended = self._opening_ended or _REPLACED
        if self._opening_ended:
            raise _EndedError

    def _while_store_is_in_use(self, _done: float) -> None:
        self._while_opening()
        if self._job is not None and self._job.under_way:
            raise CornerstoneError("another program uses the store; choose again when it is free: the sweep goes on")

    def _between_toggle_batches(self, _done: float) -> None:
        self._receive(wait=False)
        if self._stopping or self._urgent:
            raise _EndedError
        self._say()

    def _between_job_batches(self, done: float) -> None:
        job = self._job
        assert job is not None
        job.meter.advance(done)
        self._receive(wait=False)
        if self._urgent or self._speech.waits or self._held(job):
            self._stand_aside(job)
        if self._stopping:
            raise _EndedError
        if job.state == "cancelled":
            raise _CancelledError
        self._tell.jobs()

    def _stand_aside(self, job: Job) -> None:
        """Do what explorers wait for, and hold a job that waits. One with workers goes on until it is held."""
        with nullcontext() if self._crewing.has_workers else job.meter.held():
            self._serve_urgent()
            self._say()
        if self._held(job):
            with job.meter.held(), self._crewing.held():
                while self._held(job):
                    self._receive(wait=not self._speech.waits)
                    self._serve_urgent()
                    self._say()

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

    @contextmanager
    def _opening_listener(self) -> Iterator[Listener]:
        """Yield a listener for opening a workbench; it publishes each sentence, and ends the work on ``stop``."""

        def narrate(text: str) -> None:
            self._tell.narrate(text)
            if self._stopping:
                raise _EndedError

        def on_bytes(what: str, done: int, total: int) -> None:
            self._tell.bytes(what, done, total)
            self._while_opening()

        self._opening = True
        try:
            yield Callbacks(narrate, self._while_store_is_in_use, on_bytes)
        finally:
            self._opening = False
            self._tell.narrate("")
