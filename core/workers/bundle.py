"""The chunks of one call: cut, numbered, given out, tried again where they fail, and handed over in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Generic

from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError
from core.study.cutting import Chunk
from core.study.evaluating import Skipped
from core.study.measuring import Found, Measure
from core.workers.crew import Ended
from core.workers.messages import Done, Dropped, Refused, TaskId, Work

_ATTEMPTS: Final = 3
_MOST_SKIPPED: Final = 3
"""So many chunks in a row that fail are no fault of theirs."""


@dataclass(slots=True)
class _Unit:
    """A chunk with its number, and how often it failed."""

    chunk: Chunk
    work: Work
    failures: int = 0


class Bundle(Generic[Found]):
    """The chunks of one call: which are in flight, which have to be done again, and which are there."""

    def __init__(
        self,
        chunks: Iterator[Chunk],
        numbers: Iterator[int],
        task: TaskId,
        ahead: int | None,
        measure: Measure[Found] | None = None,
    ) -> None:
        """Take chunks.

        Args:
            chunks: the chunks, which are cut as they are asked for.
            numbers: gives each chunk a number of its own.
            task: the task of their documents.
            ahead: how many chunks may be evaluated before the first is there, where they come in order; else None.
            measure: measures the documents of a chunk; None where they are evaluated under its coalitions.
        """
        self._chunks: Iterator[Chunk] | None = chunks
        self._numbers = numbers
        self._task = task
        self._ahead = ahead
        self._measure = measure
        self._waiting: dict[int, _Unit] = {}
        self._again: list[_Unit] = []
        self._there: dict[int, list[Found] | Skipped] = {}
        self._skipped_in_a_row = 0
        self.ended: list[Ended] = []
        """What has come back, and was not taken yet."""

    @property
    def done(self) -> bool:
        """Whether no chunk is left."""
        return self._chunks is None and not self._waiting

    @property
    def held(self) -> int:
        """How many outcomes are there, but wait for those of earlier documents."""
        return sum(len(found) for found in self._there.values() if isinstance(found, list))

    def next_work(self) -> Work | None:
        """Return the next chunk to evaluate; None if there is none, or it has to wait."""
        if self._again:
            return self._again.pop(0).work
        if self._chunks is None or (self._ahead is not None and len(self._waiting) >= self._ahead):
            return None
        chunk = next(self._chunks, None)
        if chunk is None:
            self._chunks = None
            return None
        keys = tuple(document.record.key for document in chunk.documents)
        work = Work(next(self._numbers), self._task, keys, chunk.coalitions, self._measure)
        self._waiting[work.number] = _Unit(chunk, work)
        return work

    def taken(self) -> Iterator[SweepSizes]:
        """Take what has come back; yield smaller sizes where memory ran out.

        Raises:
            CornerstoneError: a worker says what is to be mended, or chunk after chunk fails.
        """
        ended, self.ended = self.ended, []
        for each in ended:
            if isinstance(each.reply, Done) and each.reply.smaller is not None:
                yield each.reply.smaller
            self._take(each)

    def _take(self, ended: Ended) -> None:
        unit = self._waiting[ended.work.number]
        if isinstance(ended.reply, Refused):
            raise CornerstoneError(f"on {ended.reply.host}: {ended.reply.sentence}", ended.reply.mend)
        if isinstance(ended.reply, Dropped):
            self._again.append(unit)
            return
        if isinstance(ended.reply, Done):
            self._skipped_in_a_row = 0
            self._there[ended.work.number] = ended.reply.found
            return
        unit.failures += 1
        if unit.failures < _ATTEMPTS:
            self._again.append(unit)
            return
        self._skipped_in_a_row += 1
        if self._skipped_in_a_row >= _MOST_SKIPPED:
            raise CornerstoneError(f"{_MOST_SKIPPED} chunks in a row failed {_ATTEMPTS} times each: {ended.reply}")
        records = tuple(document.record for document in unit.chunk.documents)
        self._there[ended.work.number] = Skipped(records, unit.chunk.coalitions, ended.reply)

    def ready(self) -> Iterator[list[Found] | Skipped]:
        """Yield what is there, in the order of the documents where that was asked for."""
        for number in list(self._waiting):
            if number in self._there:
                del self._waiting[number]
                yield self._there.pop(number)
            elif self._ahead is not None:
                return
