"""A meter of work: how much is done, and how fast. Light to import."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Meter:
    """Counts outcomes, and their rate, leaving out the time in which other work came first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first = self._reached = 0.0
        self._since = clock()
        self._stopped: float | None = None
        self.done = 0.0

    def start(self, done: float) -> None:
        """Begin a phase in which ``done`` outcomes are already there."""
        self._first = self._reached = self.done = done
        self._since, self._stopped = self._clock(), None

    def skip(self, done: float) -> None:
        """Set how many outcomes are done. Those added were already stored, so they do not count towards the rate."""
        self._first += done - self.done
        self._reached = self.done = done

    def reach(self, done: float) -> None:
        """Set how many outcomes are recorded."""
        self._reached = self.done = done

    def advance(self, part: float) -> None:
        """Set how many outcomes of the chunk in flight are done; no fewer than before.

        A chunk says 0 while it is stored, and where memory ran out it begins again: what is shown stands still then.
        """
        self.done = max(self.done, self._reached + part)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave out the time that the block takes."""
        self.stop()
        start = self._clock()
        try:
            yield
        finally:
            self._stopped = None
            self._since += self._clock() - start

    def stop(self) -> None:
        """Stop the clock."""
        self._stopped = self._clock()

    @property
    def seconds(self) -> float:
        """The time that counts, since the start."""
        return (self._clock() if self._stopped is None else self._stopped) - self._since

    @property
    def counted(self) -> float:
        """How many of the outcomes were evaluated since the start, and not stored before."""
        return self.done - self._first

    @property
    def rate(self) -> float:
        """Outcomes a second since the start."""
        return self.counted / self.seconds if self.seconds > 0 else 0.0
