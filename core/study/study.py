"""A study: plan what is missing, sweep it chunk by chunk, hand the outcomes to the recorder.

Documents are evaluated chunk by chunk under all coalitions, so stopping early leaves every coalition with the same
documents, and what a killed run loses is the chunk in flight.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
import torch

from core.coalitions.players import Removed
from core.engine.decoder import Decoder
from core.engine.encoding import RequestEncoder
from core.engine.intact_states import IntactStates
from core.engine.load import LoadedModel
from core.engine.packing import TokenRequest, pack, packed_length
from core.engine.scoring import Scores
from core.engine.sizes import SweepSizes
from core.engine.sweep import Breathe, hold_breath, sweep_rows
from core.errors import CornerstoneError
from core.records.records import Assignment, Outcome, Recorder
from core.study.events import ChunkRecorded, MemoryShort, Phase, PhaseFinished, PhaseStarted, StudyEvent
from core.study.plan import Schedule, Until
from core.study.running_estimate import Watch
from core.tasks.prepare import Document, PreparedTask
from core.tasks.templates import compiled_once
from core.values.of_task import checked_value

_LONGEST_ROW = 512
"""Attention grows with the square of a row's length."""

_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "could not create a primitive")

_Part = TypeVar("_Part")


class Study:
    """One model, some tasks, some schedules; iterate over ``run`` to do the work.

    Raises:
        CornerstoneError: a task does not have the value that was asked for, or that a schedule looks at.
    """

    def __init__(
        self,
        model: LoadedModel,
        encoder: RequestEncoder,
        tasks: Sequence[PreparedTask],
        schedules: Sequence[Schedule],
        sizes: SweepSizes,
        intact: IntactStates | None = None,
        value: str | None = None,
    ) -> None:
        self._model = model
        self._max_length = encoder.max_length
        self._decoder = Decoder(model.model, model.family, laid_out=sizes.laid_out)
        self._tasks = tasks
        self._schedules = schedules
        self._sizes = sizes
        self._intact = intact
        self._value = value
        self._short = False
        for task in tasks if value is not None or any(schedule.looks for schedule in schedules) else ():
            checked_value(task.record, [document.record for document in task.documents], value)

    def run(self, run_id: str, recorder: Recorder, breathe: Breathe = hold_breath) -> Iterator[StudyEvent]:
        """Evaluate what is not stored yet: each schedule, on each task, in turn.

        Args:
            run_id: of a run that ``recorder`` has begun.
            recorder: says what is stored, and stores.
            breathe: called between layer batches with how many outcomes of the chunk in flight are done; what it
                raises ends the study, that chunk being lost.
        """
        for schedule in self._schedules:
            for task in self._tasks:
                yield from self._phase(run_id, recorder, schedule, task, breathe)

    def _phase(
        self, run_id: str, recorder: Recorder, schedule: Schedule, task: PreparedTask, breathe: Breathe
    ) -> Iterator[StudyEvent]:
        records = [document.record for document in task.documents]
        occurs = Counter(record.key for record in records)
        phase = Phase(
            run_id,
            self._model.record,
            task.record,
            task.data,
            schedule.name,
            len(records),
            schedule.size,
            schedule.question,
            self._value or "acc",
        )
        watch = None
        if schedule.looks and schedule.game is not None:
            watch = Watch(task.record, records, schedule.game, self._value)
            watch.load(recorder.values(self._assignment(task, ()), watch.value))
        rounds = watch.rounds() if watch is not None and schedule.in_rounds else [schedule.coalitions]
        done = 0
        for number, coalitions in enumerate(rounds):
            assignment = self._assignment(task, coalitions)
            recorder.assign(run_id, assignment)
            stored = recorder.stored(assignment)
            done += sum(len(stored.get(record.key, ())) for record in records)
            if number == 0:
                yield PhaseStarted(phase, done)
            decided = _decided(watch, schedule.until)
            for swept in () if decided else self._swept(task, assignment, stored, breathe):
                if isinstance(swept, SweepSizes):
                    yield MemoryShort(phase, swept.state_tokens)
                    continue
                recorder.record(run_id, assignment, swept)
                if watch is not None:
                    watch.add(swept)
                done += sum(occurs[outcome.document] for outcome in swept)
                yield ChunkRecorded(phase, done)
                if _decided(watch, schedule.until):
                    break
        if watch is not None and schedule.until is not None:
            look = watch.look(schedule.until.top, schedule.until.confidence)
            if look is not None:
                yield look.told(phase, schedule.until.top, schedule.until.confidence)
        yield PhaseFinished(phase)

    def _assignment(self, task: PreparedTask, coalitions: Sequence[Removed]) -> Assignment:
        records = [document.record for document in task.documents]
        return Assignment(self._model.record, task.record, task.data, records, coalitions)

    def _swept(
        self, task: PreparedTask, assignment: Assignment, stored: Mapping[str, frozenset[Removed]], breathe: Breathe
    ) -> Iterator[list[Outcome] | SweepSizes]:
        """What is not stored, chunk by chunk; the sizes, the first time that memory does not suffice for them."""
        waiting: deque[_Chunk] = deque()
        for chunk in self._chunks(task, assignment.coalitions, stored):
            waiting.append(chunk)
            while waiting:
                part = waiting.popleft()
                outcomes = self._evaluated(task, part, breathe)
                if outcomes is not None:
                    yield outcomes
                    continue
                waiting.extendleft(reversed(list(self._fitting(part.documents, part.coalitions))))
                if not self._short:
                    yield self._sizes
                self._short = True

    def _chunks(
        self, task: PreparedTask, coalitions: Sequence[Removed], stored: Mapping[str, frozenset[Removed]]
    ) -> Iterator[_Chunk]:
        """Documents that lack the same coalitions, as many as fit, in the order of the study."""

        def missing(document: Document) -> tuple[Removed, ...]:
            there = stored.get(document.record.key, frozenset())
            return tuple(removed for removed in coalitions if removed not in there)

        once = {document.record.key: document for document in task.documents}
        for lacking, documents in groupby(once.values(), key=missing):
            if lacking:
                yield from self._fitting(documents, lacking)

    def _fitting(self, documents: Iterable[Document], coalitions: tuple[Removed, ...]) -> Iterator[_Chunk]:
        most = max(self._sizes.chunk_tokens, self._row_tokens(coalitions))
        most = min(most, self._sizes.state_tokens // len(coalitions))
        for fitting in _grouped(documents, most, lambda document: sum(map(self._length, document.bundles))):
            yield _Chunk(tuple(fitting), coalitions)

    def _length(self, bundle: Sequence[TokenRequest]) -> int:
        return packed_length(bundle, self._max_length)

    def _row_tokens(self, coalitions: Sequence[Removed]) -> int:
        """Few coalitions fill a batch only in longer rows."""
        return max(self._sizes.row_tokens, min(self._sizes.batch_tokens // len(coalitions), _LONGEST_ROW))

    def _evaluated(self, task: PreparedTask, chunk: _Chunk, breathe: Breathe) -> list[Outcome] | None:
        """The outcomes of a chunk; None, with smaller sizes from now on, where memory did not suffice.

        Raises:
            CornerstoneError: the sizes cannot be smaller.
        """
        try:
            return self._evaluate(task, chunk, breathe)
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            smaller = self._sizes.halved()
            if smaller is None:
                name = self._model.record.name
                raise CornerstoneError(f"the memory does not suffice to evaluate one document on {name}") from error
        self._sizes = smaller
        return None

    def _evaluate(self, task: PreparedTask, chunk: _Chunk, breathe: Breathe) -> list[Outcome]:
        bundles = [bundle for document in chunk.documents for bundle in document.bundles]
        groups = _grouped(bundles, self._row_tokens(chunk.coalitions), self._length)
        rows = [pack(group, self._max_length) for group in groups]
        known = None if self._intact is None else [self._intact.of(row) for row in rows]
        outcomes: list[Outcome] = []
        step = max(1, self._sizes.state_tokens // sum(map(len, rows)))
        for start in range(0, len(chunk.coalitions), step):
            coalitions = chunk.coalitions[start : start + step]
            before, size = len(outcomes), len(coalitions) * len(chunk.documents)
            scores = sweep_rows(
                self._decoder,
                rows,
                coalitions,
                batch_tokens=self._sizes.batch_tokens,
                breathe=_counted(breathe, before, size),
                intact=known,
            )
            with compiled_once():
                outcomes += _outcomes(task, chunk.documents, coalitions, scores)
        if self._intact is not None:
            self._intact.trim()
        return outcomes


def _decided(watch: Watch | None, until: Until | None) -> bool:
    look = None if watch is None or until is None else watch.look(until.top, until.confidence)
    return look is not None and look.verdict.decided


def _is_out_of_memory(error: Exception) -> bool:
    """Torch has a class for full CUDA devices, and messages for host, MPS and oneDNN's code; numpy has its own."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def _counted(breathe: Breathe, before: int, size: int) -> Breathe:
    """Breathes in outcomes: those before, and a part of ``size``."""
    return lambda part: breathe(before + part * size)


@dataclass(frozen=True, slots=True)
class _Chunk:
    documents: tuple[Document, ...]
    coalitions: tuple[Removed, ...]


def _grouped(parts: Iterable[_Part], most_tokens: int, length: Callable[[_Part], int]) -> Iterator[list[_Part]]:
    """Parts side by side, up to so many tokens; one that is longer is alone."""
    group: list[_Part] = []
    used = 0
    for part in parts:
        tokens = length(part)
        if group and used + tokens > most_tokens:
            yield group
            group, used = [], 0
        group.append(part)
        used += tokens
    if group:
        yield group


def _outcomes(
    task: PreparedTask, documents: Sequence[Document], coalitions: Sequence[Removed], rows: Sequence[Scores]
) -> Iterator[Outcome]:
    """The outcomes of documents whose continuations lie in rows one after the other."""
    logprobs = np.concatenate([scores.logprobs for scores in rows], axis=1)
    is_greedy = np.concatenate([scores.is_greedy for scores in rows], axis=1)
    ends = np.cumsum([len(document.continuations) for document in documents])
    assert ends[-1] == logprobs.shape[1]
    for index, removed in enumerate(coalitions):
        each = zip(np.split(logprobs[index], ends[:-1]), np.split(is_greedy[index], ends[:-1]), strict=True)
        for document, (scored, greedy) in zip(documents, each, strict=True):
            yield task.outcome(document, removed, scored.tolist(), greedy.tolist())
