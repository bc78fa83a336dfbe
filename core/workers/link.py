"""How the driver of a study reaches its workers. Ray is one way; tests have another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from core.workers.messages import Progress, Reply, Work


class LostError(Exception):
    """A worker has ended, or cannot be reached any more. The message says why, as far as it is known."""


class Ticket(Protocol):
    """Stands for the answer to a call."""

    def __hash__(self) -> int: ...


class Hired(Protocol):
    """One worker. Each method returns at once, some with a ticket for the answer."""

    def open(self) -> Ticket: ...

    def evaluate(self, work: Work) -> Ticket: ...

    def aside(self, work: Work) -> Ticket:
        """Evaluate a chunk between two batches of the one in hand."""

    def progress(self) -> Ticket: ...

    def drop(self, number: int) -> None: ...

    def hold(self, held: bool) -> None:
        """Hold the chunk in hand between two batches, or have it go on."""

    def leave(self) -> None:
        """End its process."""


class Link(Protocol):
    """Hires workers, and hands over what they answer."""

    def hire(self) -> Hired:
        """Begin to start a worker."""

    def answered(self, tickets: Collection[Ticket], seconds: float) -> list[Ticket]:
        """Return those of the tickets that are answered, after so many seconds at most."""

    def answer(self, ticket: Ticket) -> Reply | Progress:
        """Return an answer.

        Raises:
            LostError: the worker was lost before it answered.
        """
