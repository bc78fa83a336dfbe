"""A study: plan what is missing, sweep it chunk by chunk, hand the outcomes to the recorder.

Documents are evaluated chunk by chunk under all coalitions, so stopping early leaves every coalition with the same
documents, and what a killed run loses is the chunk in flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from core.decoder import Decoder
from core.documents import Document, PreparedTask
from core.encoding import RequestEncoder
from core.events import ChunkRecorded, Phase, PhaseFinished, PhaseStarted, StudyEvent
from core.models import LoadedModel
from core.packing import Row, pack, packed_length
from core.players import Removed
from core.records import Assignment, Outcome, Recorder
from core.sweep import Breathe, Scores, hold_breath, sweep


@dataclass(frozen=True, slots=True)
class Schedule:
    """Coalitions to evaluate, under the name that a person reads."""

    name: str
    coalitions: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class SweepSizes:
    """How much work is done at once. ``row_tokens``: documents packed side by side; ``batch_tokens``: through a layer.

    ``chunk_states``: coalitions whose hidden states are held at once, which bounds memory.
    """

    row_tokens: int
    batch_tokens: int
    chunk_states: int


class Study:
    """One model, some tasks, some schedules; iterate over ``run`` to do the work."""

    def __init__(
        self,
        model: LoadedModel,
        encoder: RequestEncoder,
        tasks: Sequence[PreparedTask],
        schedules: Sequence[Schedule],
        sizes: SweepSizes,
    ) -> None:
        self._model = model
        self._max_length = encoder.max_length
        self._decoder = Decoder(model.model, model.family)
        self._tasks = tasks
        self._schedules = schedules
        self._sizes = sizes

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
        assignment = Assignment(self._model.record, task.record, task.data, records, schedule.coalitions)
        phase = Phase(
            run_id, self._model.record, task.record, task.data, schedule.name, len(records), len(schedule.coalitions)
        )
        recorder.assign(run_id, assignment)
        stored = recorder.stored(assignment)
        done = sum(len(stored.get(record.key, ())) for record in records)
        yield PhaseStarted(phase, done)
        for chunk in self._chunks(task, schedule.coalitions, stored):
            outcomes = self._evaluate(task, chunk, breathe)
            recorder.record(run_id, assignment, outcomes)
            done += sum(occurs[outcome.document] for outcome in outcomes)
            yield ChunkRecorded(phase, done)
        yield PhaseFinished(phase)

    def _chunks(
        self, task: PreparedTask, coalitions: Sequence[Removed], stored: Mapping[str, frozenset[Removed]]
    ) -> Iterator[_Chunk]:
        """Documents that lack the same coalitions, a row at a time, in the order of the study."""

        def missing(document: Document) -> tuple[Removed, ...]:
            there = stored.get(document.record.key, frozenset())
            return tuple(removed for removed in coalitions if removed not in there)

        once = {document.record.key: document for document in task.documents}
        for lacking, documents in groupby(once.values(), key=missing):
            if lacking:
                for row_documents in self._rows(documents):
                    yield _Chunk(tuple(row_documents), lacking)

    def _rows(self, documents: Iterator[Document]) -> Iterator[list[Document]]:
        row: list[Document] = []
        used = 0
        for document in documents:
            length = packed_length(document.continuations, self._max_length)
            if row and used + length > self._sizes.row_tokens:
                yield row
                row, used = [], 0
            row.append(document)
            used += length
        if row:
            yield row

    def _evaluate(self, task: PreparedTask, chunk: _Chunk, breathe: Breathe) -> list[Outcome]:
        row = pack([document.continuations for document in chunk.documents], self._max_length)
        outcomes: list[Outcome] = []
        step = self._sizes.chunk_states
        for start in range(0, len(chunk.coalitions), step):
            coalitions = chunk.coalitions[start : start + step]
            before, size = len(outcomes), len(coalitions) * len(chunk.documents)
            scores = sweep(
                self._decoder,
                row,
                coalitions,
                batch_tokens=self._sizes.batch_tokens,
                breathe=_counted(breathe, before, size),
            )
            outcomes += _outcomes(task, chunk.documents, coalitions, row, scores)
        return outcomes


def _counted(breathe: Breathe, before: int, size: int) -> Breathe:
    """Breathes in outcomes: those before, and a part of ``size``."""
    return lambda part: breathe(before + part * size)


@dataclass(frozen=True, slots=True)
class _Chunk:
    documents: tuple[Document, ...]
    coalitions: tuple[Removed, ...]


def _outcomes(
    task: PreparedTask, documents: Sequence[Document], coalitions: Sequence[Removed], row: Row, scores: Scores
) -> Iterator[Outcome]:
    starts = [0]
    for document in documents:
        starts.append(starts[-1] + len(document.continuations))
    assert starts[-1] == row.request_count
    for index, removed in enumerate(coalitions):
        logprobs, is_greedy = scores.logprobs[index].tolist(), scores.is_greedy[index].tolist()
        for document, start, stop in zip(documents, starts, starts[1:], strict=False):
            yield task.outcome(document, removed, logprobs[start:stop], is_greedy[start:stop])
