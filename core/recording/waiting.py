"""The writes that wait for the store, in order: in memory, or in the spool once they were put there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from pathlib import Path

from core.recording.spool import Place, Spool
from core.recording.writes import Record, Write
from core.records.records import RunRecord


@dataclass(slots=True, eq=False)
class Waiting:
    """A write that waits. Its outcomes are dropped from memory once they are in the spool, at ``place``.

    ``outcomes`` is their number. ``done`` is set when the write is in the store.
    """

    write: Write
    outcomes: int
    place: Place | None = None
    done: bool = False


_AT_ONCE = 100


class WaitingWrites:
    """A queue of writes with a spool. It is no safer for threads than a list."""

    def __init__(self, store: Path) -> None:
        """Begin without writes for ``store``."""
        self._queue: deque[Waiting] = deque()
        self._spool = Spool(store)

    def __bool__(self) -> bool:
        return bool(self._queue)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._queue)

    @property
    def spool(self) -> Path:
        """The file of the spool, or its folder while there is none."""
        return self._spool.place

    @property
    def outcomes(self) -> int:
        """The number of outcomes that wait."""
        return sum(one.outcomes for one in self._queue)

    @property
    def unsafe(self) -> int:
        """How many of them are in memory only."""
        return sum(one.outcomes for one in self._queue if one.place is None)

    @property
    def all_spooled(self) -> bool:
        return all(one.place is not None for one in self._queue)

    @property
    def any_spooled(self) -> bool:
        return any(one.place is not None for one in self._queue)

    def put(self, write: Write) -> None:
        """Add a write at the end."""
        self._queue.append(Waiting(write, len(write.outcomes) if isinstance(write, Record) else 0))

    def first(self) -> list[Waiting]:
        """Return the first write, which stays in the queue; from the spool, up to a hundred."""
        one = self._queue[0]
        return [one] if one.place is None else list(takewhile(_is_spooled, islice(self._queue, _AT_ONCE)))

    def take(self) -> None:
        """Take the first write out, which is in the store now."""
        self._queue.popleft().done = True

    def to_spool(self, run_of: Callable[[str], RunRecord | None]) -> None:
        """Put into the spool what is in memory only.

        Args:
            run_of: returns the run of an id, if it is known.

        Raises:
            OSError: the spool cannot be written.
        """
        unplaced = [one for one in self._queue if one.place is None]
        if not unplaced:
            return
        places = self._spool.append([one.write for one in unplaced], run_of)
        for one, place in zip(unplaced, places, strict=True):
            one.place = place
            if isinstance(one.write, Record):
                one.write = replace(one.write, outcomes=())

    def whole(self, one: Waiting) -> Write:
        """Return a write with its outcomes.

        Raises:
            ValueError: its record in the spool is damaged.
            OSError: the spool cannot be read.
        """
        if one.place is None or not isinstance(one.write, Record):
            return one.write
        return replace(one.write, outcomes=self._spool.outcomes(one.place))

    def discard_spool(self) -> Path | None:
        """Remove the spool, as all is stored; return where it was kept if it was damaged.

        Raises:
            OSError: it cannot be removed.
        """
        return self._spool.discard()

    def release_spool(self) -> None:
        """Leave the spool to the next process that writes to the store."""
        self._spool.release()


def _is_spooled(one: Waiting) -> bool:
    return one.place is not None
