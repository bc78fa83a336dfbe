"""The workers of a study: who is ready, who was lost, and who takes the place of those."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError, Mend
from core.study.listener import Listener
from core.study.worker_view import WorkerDoing, WorkerView
from core.workers.link import Link, LostError, Ticket
from core.workers.messages import Done, Dropped, Failed, Opened, Progress, Refused, Reply, TaskId, Work
from core.workers.worker import Worker

_MOST_LOSSES: Final = 3
"""A worker that is lost so often before it has its model is not started again."""
_ASK_EVERY_S: Final = 0.5
_TELL_EVERY_S: Final = 1.0
_LATE_S: Final = 60.0
"""So long the first worker that is ready waits for the others."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The model and the documents that every worker has to have: fingerprints, as ``Opened`` has them."""

    name: str
    model: str
    documents: Mapping[TaskId, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a chunk: its outcomes, or that it was dropped, or what is to be mended, or why it failed."""

    work: Work
    reply: Done | Dropped | Refused | str


class Crew:
    """Some workers. Each has one chunk at a time; who is lost is replaced."""

    def __init__(self, link: Link, count: int, wanted: Wanted, listener: Listener) -> None:
        """Start workers.

        Args:
            link: reaches them.
            count: how many.
            wanted: what each has to have.
            listener: gets sentences on those that are lost or refused, and what each does.
        """
        self._link = link
        self._wanted = wanted
        self._listener = listener
        self._told: tuple[WorkerView, ...] = ()
        self._told_at = 0.0
        self._held_at: float | None = None
        self._refusal: Refused | Failed | str | None = None
        self.sizes: SweepSizes | None = None
        """The smallest sizes of any worker so far; None before one is ready."""
        self._workers = [self._started(number) for number in range(1, count + 1)]

    @property
    def count(self) -> int:
        """How many workers there should be."""
        return len(self._workers)

    @property
    def at_work(self) -> int:
        """How many are ready, or evaluate."""
        return sum(worker.at_work for worker in self._workers)

    @property
    def views(self) -> tuple[WorkerView, ...]:
        """What each worker does."""
        return tuple(worker.view for worker in self._workers)

    @property
    def part(self) -> float:
        """How many outcomes of the chunks in flight are done."""
        return sum(worker.part for worker in self._workers)

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Wait for every worker, and for late ones no longer than a minute once one is ready.

        Args:
            check: called now and then; what it raises ends the waiting.

        Raises:
            CornerstoneError: no worker can be used.
        """
        ready_at: float | None = None
        while any(worker.doing in {"starting", "loading"} for worker in self._workers):
            for _ended in self.step(0.2):
                pass
            check()
            if ready_at is None and self.at_work:
                ready_at = time.monotonic()
            if ready_at is not None and time.monotonic() - ready_at > _LATE_S:
                self._listener.narrate(
                    f"{self.at_work} of {self.count} workers are ready; the others join in when they are"
                )
                return
        self.refuse_none_left()

    def refuse_none_left(self) -> None:
        """Refuse to go on without any worker.

        Raises:
            CornerstoneError: none is left.
        """
        if not all(worker.gone for worker in self._workers):
            return
        last = self._refusal
        mend: Mend | None = None
        if isinstance(last, Refused):
            mend = last.mend
        said = last if isinstance(last, str) or last is None else f"on {last.host}: {last.sentence}"
        raise CornerstoneError(f"no worker is left to evaluate {self._wanted.name}: {said}", mend)

    @property
    def idle(self) -> bool:
        """Whether a worker is ready for a chunk."""
        return any(worker.doing == "idle" for worker in self._workers)

    def give(self, work: Work) -> None:
        """Give a chunk to a worker that is ready."""
        next(worker for worker in self._workers if worker.doing == "idle").give(work, time.monotonic())

    @property
    def takes_aside(self) -> bool:
        """Whether a worker can evaluate a chunk before its own."""
        return any(worker.at_work and worker.aside is None for worker in self._workers)

    def give_aside(self, work: Work) -> None:
        """Give a chunk to a worker that evaluates it before its own: one that has no other, if there is one."""
        able = [worker for worker in self._workers if worker.at_work and worker.aside is None]
        min(able, key=lambda worker: worker.doing != "idle").give_aside(work, time.monotonic())

    @property
    def held(self) -> bool:
        """Whether the workers are held."""
        return self._held_at is not None

    def hold(self, held: bool) -> None:
        """Hold all workers between two batches, or have them go on."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.at_work:
                worker.hired.hold(held)
                if not held and self._held_at is not None:
                    worker.was_held(self._held_at, now)
        self._held_at = now if held else None

    def drop(self, wanted: Callable[[Work], bool]) -> None:
        """Have chunks dropped that are not wanted any more; those who evaluate them are ready some time later."""
        for worker in self._workers:
            for work in (worker.work, worker.aside):
                if work is not None and not wanted(work):
                    worker.hired.drop(work.number)

    def step(self, seconds: float) -> list[Ended]:
        """Wait for answers, and return which chunks have ended."""
        self._ask()
        waited = {worker.ticket: worker for worker in self._workers if worker.waited_for}
        asides = {worker.aside_ticket: worker for worker in self._workers if worker.aside_ticket is not None}
        asked = {worker.asking: worker for worker in self._workers if worker.asking is not None}
        ended: list[Ended] = []
        for ticket in self._link.answered([*waited, *asides, *asked], seconds):
            if ticket in waited:
                ended += self._answered(waited[ticket], ticket)
            elif ticket in asides:
                ended += self._aside_answered(asides[ticket], ticket)
            else:
                self._take_progress(asked[ticket], ticket)
        self._tell()
        return ended

    def leave(self) -> None:
        """End all workers, and tell for the last time what each has done."""
        views = self.views
        for worker in self._workers:
            if not worker.gone:
                worker.hired.leave()
        self._listener.on_workers(views)

    def _started(self, number: int) -> Worker:
        hired = self._link.hire()
        return Worker(number, hired, hired.open(), time.monotonic())

    def _ask(self) -> None:
        """Ask those that open or evaluate something how far they are, now and then."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.waited_for and worker.asking is None and now - worker.asked_at > _ASK_EVERY_S:
                worker.asking, worker.asked_at = worker.hired.progress(), now

    def _take_progress(self, worker: Worker, ticket: Ticket) -> None:
        if worker.asking != ticket:
            return  # it is lost: the answer to its chunk, which came with this one, said so
        worker.asking = None
        try:
            found = self._link.answer(ticket)
        except LostError:
            return  # the chunk's own ticket says so too
        assert isinstance(found, Progress)
        worker.host = found.host
        if worker.doing == "starting":
            worker.doing = "loading"
        elif worker.doing == "evaluating":
            worker.told(found.part, time.monotonic())

    def _tell(self) -> None:
        """Tell what the workers do: a change at once, their rates and whether they have a chunk now and then."""
        now, views = time.monotonic(), self.views
        late = now - self._told_at > _TELL_EVERY_S and views != self._told
        if late or [_standing(view) for view in views] != [_standing(view) for view in self._told]:
            self._told, self._told_at = views, now
            self._listener.on_workers(views)

    def _aside_answered(self, worker: Worker, ticket: Ticket) -> list[Ended]:
        work = worker.aside
        if work is None or worker.aside_ticket != ticket:
            return []  # it is lost: the answer to its own chunk, which came with this one, said so
        try:
            reply = self._link.answer(ticket)
        except LostError as lost:
            return self._lost(worker, str(lost))
        worker.aside_ended(time.monotonic() if self._held_at is None else self._held_at)
        return [_ended(work, reply)]

    def _answered(self, worker: Worker, ticket: Ticket) -> list[Ended]:
        if worker.ticket != ticket:
            return []  # it is lost: another answer, which came with this one, said so
        work = worker.work
        try:
            reply = self._link.answer(ticket)
        except LostError as lost:
            return self._lost(worker, str(lost))
        assert not isinstance(reply, Progress)
        if work is None:
            self._judge(worker, reply)
            return []
        worker.ended(len(reply.found) if isinstance(reply, Done) else 0, time.monotonic())
        worker.doing = "idle"
        return [_ended(work, reply)]

    def _judge(self, worker: Worker, reply: Reply) -> None:
        """Take a worker that has opened what is wanted; refuse any other by name."""
        assert isinstance(reply, Opened | Refused | Failed)
        worker.host = reply.host
        if not isinstance(reply, Opened):
            self._refuse(worker, reply, f"worker {worker.number} on {reply.host} cannot be used: {reply.sentence}")
            return
        if (fault := self._fault(reply)) is not None:
            self._refuse(worker, fault, f"worker {worker.number} is refused: {fault}")
            return
        worker.opened, worker.doing, worker.failed_starts = reply, "idle", 0
        self.sizes = min(
            (reply.sizes, self.sizes or reply.sizes), key=lambda sizes: (sizes.state_tokens, sizes.chunk_tokens)
        )

    def _fault(self, opened: Opened) -> str | None:
        """Return what a worker has that is not what is wanted; None if it has the same."""
        where = f"on {opened.host}"
        if opened.model != self._wanted.model:
            return (
                f"{self._wanted.name} {where} has the fingerprint {opened.model[:12]}, and here "
                f"{self._wanted.model[:12]}; give every machine the same files and dtype"
            )
        if opened.documents != self._wanted.documents:
            return f"the documents {where} are others than here; give every machine the same data and versions"
        return None

    def _refuse(self, worker: Worker, why: Refused | Failed | str, sentence: str) -> None:
        worker.doing, worker.opened, self._refusal = "refused", None, why
        worker.hired.leave()
        self._listener.narrate(sentence)

    def _lost(self, worker: Worker, why: str) -> list[Ended]:
        """Start a worker again that was lost, unless it is lost again and again before it has its model."""
        name = worker.name
        lost = [work for work in (worker.work, worker.aside) if work is not None]
        worker.hired.leave()
        worker.ended(0, time.monotonic())
        worker.opened, worker.asking = None, None
        worker.losses += 1
        worker.failed_starts += worker.doing in {"starting", "loading"}
        if worker.failed_starts >= _MOST_LOSSES:
            self._refusal = f"{name} was lost {worker.failed_starts} times before it was ready ({why})"
            worker.doing = "lost"
            self._listener.narrate(f"{name} was lost ({why}), the third time before it was ready, and is given up")
            return []
        again = "its chunk is done again, and another" if lost else "another"
        self._listener.narrate(f"{name} was lost ({why}); {again} takes its place")
        worker.begin_again(self._link.hire(), time.monotonic())
        return [Ended(work, f"{name} was lost: {why}") for work in lost]


def _ended(work: Work, reply: Reply | Progress) -> Ended:
    if isinstance(reply, Failed):
        return Ended(work, f"on {reply.host}: {reply.sentence}")
    assert isinstance(reply, Done | Dropped | Refused)
    return Ended(work, reply)


def _standing(view: WorkerView) -> tuple[WorkerDoing | None, str, int]:
    """Return what changes seldom of a worker."""
    return None if view.at_work else view.doing, view.host, view.losses
