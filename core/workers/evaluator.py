"""Evaluate or measure documents by workers: each chunk by one of them, again by another where that one is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Final

from core.coalitions.players import Removed
from core.engine.load import LoadedModel
from core.engine.sweep import OnBatch
from core.engine.sweep_sizes import SweepSizes
from core.records.records import ModelRecord
from core.study import evaluating
from core.study.cutting import Chunk, Cutting
from core.study.evaluating import Evaluated, Skipped
from core.study.first_chunks import growing
from core.study.measuring import Found, Measure, Measured
from core.tasks.prepare import PreparedTask
from core.workers.aside import AsideEvaluator
from core.workers.bundle import Bundle
from core.workers.crew import Crew
from core.workers.documents import task_id
from core.workers.flights import Flights

_STEP_S: Final = 0.1
_CHUNKS_EACH: Final = 4
"""At least so many chunks for each worker, so that none waits long for the last."""
_MOST_MEASURED: Final = 8
"""A chunk to measure has at most so many documents: where it fails, all of them are skipped."""
_AHEAD: Final = 4
"""Where chunks come in order, so many for each worker are evaluated before the first of them is there."""


class CrewEvaluator:
    """Evaluates chunks by a crew of workers, and measures documents by them. It is the ``Crewed`` of a workbench."""

    def __init__(self, model: LoadedModel, max_length: int, crew: Crew, tasks: Sequence[PreparedTask]) -> None:
        """Make an evaluator.

        Args:
            model: the model as the driver has it. It evaluates nothing.
            max_length: the length of a text that the model takes at most.
            crew: workers with the same model, of which one at least is ready.
            tasks: the tasks that they have.
        """
        self._model = model
        self._max_length = max_length
        self._crew = crew
        self._flights = Flights(crew)
        self._ran_short = False
        self.aside = AsideEvaluator(model.record, self._flights, self._cutting, tasks)
        """Evaluates what is asked meanwhile, by one worker between the batches of its chunk."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the workers between two batches for the time of the block; what comes aside they evaluate."""
        self._crew.hold(True)
        try:
            yield
        finally:
            self._crew.hold(False)

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
        most = self._most_documents(task)
        sizes = growing(len(coalitions)) if small else repeat(most)
        chunks = self._cutting().chunks(task, coalitions, stored, (min(size, most) for size in sizes))
        bundle = self._flights.bundle(chunks, task_id(task), self._crew.count * _AHEAD if in_order else None)
        try:
            yield from self._evaluated(bundle, on_batch)
        finally:
            self._flights.end(bundle)

    def measured(self, task: PreparedTask, measure: Measure[Found], on_batch: OnBatch) -> Measured[Found]:
        """Return what is measured of the documents of a task, in their order, as ``Crewed`` says."""
        most = min(self._most_documents(task), _MOST_MEASURED)
        there: list[Found] = []
        skipped: list[Skipped] = []
        cut = (task.documents[first : first + most] for first in range(0, len(task.documents), most))
        chunks = (Chunk(documents, ()) for documents in cut)
        bundle: Bundle[Found] = self._flights.bundle(chunks, task_id(task), self._crew.count * _AHEAD, measure)
        try:
            for found in self._evaluated(bundle, lambda part: on_batch(len(there) + part)):
                if isinstance(found, Skipped):
                    skipped.append(found)
                elif isinstance(found, list):
                    there.extend(found)
        finally:
            self._flights.end(bundle)
        lost = {document.doc_id for chunk in skipped for document in chunk.documents}
        kept = tuple(document for document in task.documents if document.record.doc_id not in lost)
        return Measured(kept, there, tuple(skipped))

    def _most_documents(self, task: PreparedTask) -> int:
        """Return how many documents of a task a chunk has at most, so that each worker gets several chunks."""
        return max(1, -(-len(task.documents) // (_CHUNKS_EACH * self._crew.count)))

    def _cutting(self) -> Cutting:
        assert self._crew.sizes is not None, "no worker is ready"
        return Cutting(self._model, self._max_length, self._crew.sizes)

    def _evaluated(
        self, bundle: Bundle[Found], on_batch: OnBatch
    ) -> Iterator[list[Found] | SweepSizes | Skipped | evaluating.Crew]:
        at_work = 0
        while True:
            if self._crew.at_work != at_work:
                at_work = self._crew.at_work
                yield evaluating.Crew(at_work, self._crew.count)
            self._flights.give(bundle)
            if bundle.done:
                return
            self._crew.refuse_none_left()
            self._flights.step(_STEP_S)
            for smaller in bundle.taken():
                if not self._ran_short:
                    self._ran_short = True
                    yield smaller
            yield from bundle.ready()
            on_batch(bundle.held + self._crew.part)
