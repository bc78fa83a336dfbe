"""Evaluate a study's chunks by workers: each chunk by one of them, again by another where that one is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import count, repeat
from typing import Final

from core.coalitions.players import Removed
from core.engine.load import LoadedModel
from core.engine.sweep import OnBatch
from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError
from core.records.records import ModelRecord, Outcome
from core.study import evaluating
from core.study.cutting import Chunk, Cutting
from core.study.evaluating import Evaluated, Skipped
from core.study.first_chunks import growing
from core.tasks.prepare import PreparedTask
from core.workers.crew import Crew, Ended
from core.workers.documents import task_id
from core.workers.messages import Done, Dropped, Sizes, TaskId, Work

_ATTEMPTS: Final = 3
_MOST_SKIPPED: Final = 3
"""So many chunks in a row that fail are no fault of theirs."""
_STEP_S: Final = 0.1
_CHUNKS_EACH: Final = 4
"""At least so many chunks for each worker, so that none waits long for the last."""
_AHEAD: Final = 4
"""Where chunks come in order, so many for each worker are evaluated before the first of them is there."""


class CrewEvaluator:
    """Evaluates chunks by a crew of workers. It is an ``Evaluator`` of a study."""

    def __init__(self, model: LoadedModel, max_length: int, crew: Crew) -> None:
        """Make an evaluator.

        Args:
            model: the model as the driver has it. It evaluates nothing.
            max_length: the length of a text that the model takes at most.
            crew: workers with the same model, of which one at least is ready.
        """
        self._model = model
        self._max_length = max_length
        self._crew = crew
        self._numbers = count()
        self._bundles: dict[int, _Bundle] = {}
        """By the number of each chunk in flight, the call that it is of: those of several tasks take turns."""
        self._ran_short = False

    @property
    def record(self) -> ModelRecord:
        return self._model.record

    def missing(
        self,
        task: PreparedTask,
        coalitions: Sequence[Removed],
        stored: Mapping[str, frozenset[Removed]],
        on_batch: OnBatch,
        *,
        small_first: bool = False,
        in_order: bool = True,
    ) -> Iterator[Evaluated]:
        """Yield missing outcomes chunk by chunk, as ``Evaluator`` says, and how many workers are at work.

        Raises:
            CornerstoneError: no worker is left, one says what is to be mended, or chunk after chunk fails.
        """
        small = small_first and not self._model.offloaded
        most = max(1, -(-len(task.documents) // (_CHUNKS_EACH * self._crew.count)))
        sizes = growing(len(coalitions)) if small else repeat(most)
        chunks = self._cutting().chunks(task, coalitions, stored, (min(size, most) for size in sizes))
        bundle = _Bundle(chunks, self._numbers, task_id(task), self._crew.count * _AHEAD if in_order else None)
        try:
            yield from self._evaluated(bundle, on_batch)
        finally:
            self._bundles = {number: of for number, of in self._bundles.items() if of is not bundle}
            self._crew.drop(lambda work: work.number in self._bundles)

    def _cutting(self) -> Cutting:
        assert self._crew.sizes is not None, "no worker is ready"
        return Cutting(self._model, self._max_length, _sweep_sizes(self._crew.sizes))

    def _evaluated(self, bundle: _Bundle, on_batch: OnBatch) -> Iterator[Evaluated]:
        at_work = 0
        while True:
            if self._crew.at_work != at_work:
                at_work = self._crew.at_work
                yield evaluating.Crew(at_work, self._crew.count)
            while self._crew.idle and (work := bundle.next_work()) is not None:
                self._bundles[work.number] = bundle
                self._crew.give(work)
            if bundle.done:
                return
            self._crew.refuse_none_left()
            for ended in self._crew.step(_STEP_S):
                if isinstance(ended.reply, Done) and ended.reply.smaller is not None and not self._ran_short:
                    self._ran_short = True
                    yield _sweep_sizes(ended.reply.smaller)
                if (of := self._bundles.pop(ended.work.number, None)) is not None:
                    of.take(ended)
            yield from bundle.ready()
            on_batch(bundle.held + self._crew.part)


@dataclass(slots=True)
class _Unit:
    """A chunk with its number, and how often it failed."""

    chunk: Chunk
    work: Work
    failures: int = 0


class _Bundle:
    """The chunks of one call: which are in flight, which have to be done again, and which are there."""

    def __init__(self, chunks: Iterator[Chunk], numbers: Iterator[int], task: TaskId, ahead: int | None) -> None:
        """Take chunks.

        Args:
            chunks: the chunks, which are cut as they are asked for.
            numbers: gives each chunk a number of its own.
            task: the task of their documents.
            ahead: how many chunks may be evaluated before the first is there, where they come in order; else None.
        """
        self._chunks: Iterator[Chunk] | None = chunks
        self._numbers = numbers
        self._task = task
        self._ahead = ahead
        self._waiting: dict[int, _Unit] = {}
        self._again: list[_Unit] = []
        self._there: dict[int, list[Outcome] | Skipped] = {}
        self._skipped_in_a_row = 0

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
        work = Work(next(self._numbers), self._task, keys, chunk.coalitions)
        self._waiting[work.number] = _Unit(chunk, work)
        return work

    def take(self, ended: Ended) -> None:
        """Take what became of a chunk.

        Raises:
            CornerstoneError: chunk after chunk fails.
        """
        unit = self._waiting[ended.work.number]
        if isinstance(ended.reply, Dropped):
            self._again.append(unit)
            return
        if isinstance(ended.reply, Done):
            self._skipped_in_a_row = 0
            self._there[ended.work.number] = ended.reply.outcomes
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

    def ready(self) -> Iterator[list[Outcome] | Skipped]:
        """Yield what is there, in the order of the documents where that was asked for."""
        for number in list(self._waiting):
            if number in self._there:
                del self._waiting[number]
                yield self._there.pop(number)
            elif self._ahead is not None:
                return


def _sweep_sizes(sizes: Sizes) -> SweepSizes:
    return SweepSizes(*astuple(sizes))
