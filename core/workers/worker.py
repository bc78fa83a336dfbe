"""One worker as the driver sees it: its state, its chunk, and how fast it evaluates."""

from __future__ import annotations

from dataclasses import dataclass

from core.study.worker_view import Counted, WorkerDoing, WorkerView
from core.workers.link import Hired, Ticket
from core.workers.messages import Opened, Work


@dataclass(eq=False, slots=True)
class Worker:
    """One worker.

    Attributes:
        number: tells it apart.
        hired: reaches its process.
        ticket: stands for the answer to what it was asked last: to open, or to evaluate its chunk.
        doing: what it does.
        host: its machine; empty while that is unknown.
        opened: what it has opened; None before.
        work: its chunk; None if it has none.
        part: how many outcomes of its chunk are done.
        failed_starts: how often in a row it was lost before it had its model.
        losses: how often it was lost.
        asking: stands for the answer to how far it is; None if that was not asked.
        asked_at: when that was asked last, or its chunk given.
        aside: a chunk that it evaluates before its own; None if it has none.
        aside_ticket: stands for the answer to that.
        outcomes: how many outcomes of its own chunks it has evaluated, of whole ones.
        measures: whether these are documents that it has measured.
    """

    number: int
    hired: Hired
    ticket: Ticket
    asked_at: float
    doing: WorkerDoing = "starting"
    host: str = ""
    opened: Opened | None = None
    work: Work | None = None
    part: float = 0.0
    failed_starts: int = 0
    losses: int = 0
    asking: Ticket | None = None
    aside: Work | None = None
    aside_ticket: Ticket | None = None
    outcomes: int = 0
    measures: bool = False
    _seconds: float = 0.0
    """How long it took for its outcomes."""
    _given_at: float = 0.0
    _aside_at: float = 0.0
    _told_after: float = 0.0
    """How long after its chunk was given it told ``part``."""

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def view(self) -> WorkerView:
        seconds = self._seconds + self._told_after
        rate = (self.outcomes + self.part) / seconds if seconds > 0 else 0.0
        counts: Counted = "document" if self.measures else "outcome"
        return WorkerView(self.number, self.doing, self.host, self.outcomes, rate, self.losses, counts)

    @property
    def at_work(self) -> bool:
        """Whether it evaluates, or is ready to."""
        return self.doing in {"idle", "evaluating"}

    @property
    def gone(self) -> bool:
        """Whether it is not used any more."""
        return self.doing in {"refused", "lost"}

    @property
    def waited_for(self) -> bool:
        """Whether it has to answer what it was asked last."""
        return self.doing in {"starting", "loading", "evaluating"}

    def give(self, work: Work, now: float) -> None:
        """Have it evaluate a chunk from ``now`` on, in seconds of a clock."""
        self.doing, self.work, self.part = "evaluating", work, 0.0
        self.measures = work.measure is not None
        self._given_at = self.asked_at = now
        self.ticket = self.hired.evaluate(work)

    def give_aside(self, work: Work, now: float) -> None:
        """Have it evaluate a chunk before its own."""
        self.aside, self.aside_ticket, self._aside_at = work, self.hired.aside(work), now

    def aside_ended(self, now: float) -> None:
        """Note that the chunk before its own is over: that time is none of its own chunk's.

        ``now`` is when the workers were held, if they still are: what stands still then counts as held.
        """
        self.aside = self.aside_ticket = None
        self._stood_still(max(now - max(self._aside_at, self._given_at), 0.0))

    def was_held(self, begun: float, now: float) -> None:
        """Note that its own chunk was held for a time, whatever it evaluated before it meanwhile."""
        self._stood_still(now - begun)
        if self.aside is not None:
            self._aside_at = now if self._aside_at >= begun else self._aside_at + now - begun

    def _stood_still(self, seconds: float) -> None:
        if self.work is not None:
            self._given_at += seconds

    def told(self, part: float, now: float) -> None:
        """Note how many outcomes of its chunk are done."""
        self.part, self._told_after = part, max(now - self._given_at, 0.0)

    def ended(self, outcomes: int, now: float) -> None:
        """Note that its chunk is over, with so many outcomes; without any the time does not count."""
        if outcomes:
            self.outcomes += outcomes
            self._seconds += max(now - self._given_at, 0.0)
        self.work, self.part, self._told_after = None, 0.0, 0.0

    def begin_again(self, hired: Hired, now: float) -> None:
        """Go on in another process, in place of one that was lost."""
        self.hired, self.ticket, self.asked_at = hired, hired.open(), now
        self.doing, self.host, self.asking = "starting", "", None
        self.aside = self.aside_ticket = None
