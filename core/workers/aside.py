"""Evaluate a coalition by one worker between the batches of its chunk, while the study of the others goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final

from core.coalitions.players import Removed
from core.engine.sweep import OnBatch
from core.records.records import ModelRecord
from core.study.cutting import ANY, Cutting
from core.study.evaluating import Evaluated
from core.tasks.prepare import PreparedTask
from core.workers.documents import task_id
from core.workers.flights import Flights

_STEP_S: Final = 0.05


class AsideEvaluator:
    """Evaluates chunks one after the other, each by one worker before its own. It is an ``Evaluator`` of a study."""

    def __init__(
        self,
        record: ModelRecord,
        flights: Flights,
        cutting: Callable[[], Cutting],
        tasks: Sequence[PreparedTask],
    ) -> None:
        """Make an evaluator.

        Args:
            record: the model.
            flights: the chunks of the workers.
            cutting: returns what cuts documents into chunks.
            tasks: the tasks that the workers have.
        """
        self._documents = {task_id(task): _keys(task) for task in tasks}
        self._record = record
        self._flights = flights
        self._cutting = cutting

    @property
    def record(self) -> ModelRecord:
        return self._record

    def takes(self, task: PreparedTask) -> bool:
        """Return whether a worker is ready, and has all documents of a task."""
        there = self._documents.get(task_id(task), frozenset())
        return self._flights.crew.at_work > 0 and _keys(task) <= there

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
        """Yield missing outcomes chunk by chunk, as ``Evaluator`` says: in order, and of as many documents as fit.

        Raises:
            CornerstoneError: no worker is left, one says what is to be mended, or chunk after chunk fails.
        """
        flights = self._flights
        chunks = self._cutting().chunks(task, coalitions, stored, repeat(ANY))
        bundle = flights.bundle(chunks, task_id(task), ahead=1)
        try:
            while True:
                flights.give_aside(bundle)
                if bundle.done:
                    return
                flights.crew.refuse_none_left()
                flights.go_on()
                flights.step(_STEP_S)
                yield from bundle.taken()
                yield from bundle.ready()
                on_batch(0.0)
        finally:
            flights.end(bundle)


def _keys(task: PreparedTask) -> frozenset[str]:
    return frozenset(document.record.key for document in task.documents)
