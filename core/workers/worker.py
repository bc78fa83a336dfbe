"""One worker as the driver sees it: its state, its chunk, and how fast it evaluates."""

from __future__ import annotations

from dataclasses import dataclass

from core.study.worker_view import WorkerDoing, WorkerView
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
        outcomes: how many outcomes of whole chunks it has evaluated.
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
    outcomes: int = 0
    _seconds: float = 0.0
    """How long it took for its outcomes."""
    _given_at: float = 0.0
    _told_after: float = 0.0
    """How long after its chunk was given it told ``part``."""

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def view(self) -> WorkerView:
        seconds = self._seconds + self._told_after
        rate = (self.outcomes + self.part) / seconds if seconds > 0 else 0.0
        return WorkerView(self.number, self.doing, self.host, self.outcomes, rate, self.losses)

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
        self._given_at = self.asked_at = now
        self.ticket = self.hired.evaluate(work)

    def told(self, part: float, now: float) -> None:
        """Note how many outcomes of its chunk are done."""
        self.part, self._told_after = part, now - self._given_at

    def ended(self, outcomes: int, now: float) -> None:
        """Note that its chunk is over, with so many outcomes; without any the time does not count."""
        if outcomes:
            self.outcomes += outcomes
            self._seconds += now - self._given_at
        self.work, self.part, self._told_after = None, 0.0, 0.0

    def begin_again(self, hired: Hired, now: float) -> None:
        """Go on in another process, in place of one that was lost."""
        self.hired, self.ticket, self.asked_at = hired, hired.open(), now
        self.doing, self.host, self.asking = "starting", "", None
