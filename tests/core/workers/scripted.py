"""A link to workers that answer what a test lets them answer, in the same thread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from core.workers.link import Hired, LostError, Ticket
from core.workers.messages import Progress, Reply, Work


@dataclass(eq=False)
class Call:
    """One call to a worker, which is a ticket too. It is answered once ``reply`` is set."""

    what: str
    work: Work | None = None
    reply: Reply | LostError | Progress | None = None


@dataclass(eq=False)
class ScriptedWorker:
    number: int
    calls: list[Call] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    left: bool = False

    @property
    def last(self) -> Call:
        return self.calls[-1]

    def open(self) -> Ticket:
        return self._call(Call("open"))

    def evaluate(self, work: Work) -> Ticket:
        return self._call(Call("evaluate", work))

    def aside(self, work: Work) -> Ticket:
        return self._call(Call("aside", work))

    def progress(self) -> Ticket:
        return self._call(Call("progress"))

    def drop(self, number: int) -> None:
        self.dropped.append(number)

    def hold(self, held: bool) -> None:
        self.held.append(held)

    def leave(self) -> None:
        self.left = True

    def _call(self, call: Call) -> Call:
        self.calls.append(call)
        return call


class ScriptedLink:
    """Hires scripted workers, which ``hired`` lists in their order."""

    def __init__(self) -> None:
        self.hired: list[ScriptedWorker] = []

    def hire(self) -> Hired:
        self.hired.append(ScriptedWorker(len(self.hired)))
        return self.hired[-1]

    def answered(self, tickets: Collection[Ticket], seconds: float) -> list[Ticket]:
        return [ticket for ticket in tickets if isinstance(ticket, Call) and ticket.reply is not None]

    def answer(self, ticket: Ticket) -> Reply | Progress:
        assert isinstance(ticket, Call)
        assert ticket.reply is not None
        if isinstance(ticket.reply, LostError):
            raise ticket.reply
        return ticket.reply
