"""A study: each of some schedules on each of some tasks, evaluated chunk by chunk.

A chunk of documents is evaluated under all coalitions. So stopping early leaves every coalition with the same
documents, and a killed run loses the chunk in flight and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.errors import CornerstoneError
from core.records.records import Recorder
from core.study.chunks import ChunkEvaluator
from core.study.events import StudyEvent
from core.study.listener import SILENT, Listener
from core.study.phase import PhaseRunner
from core.study.plan import Schedule
from core.tasks.prepare import PreparedTask
from core.values.of_task import resolve, resolve_if_any


class Study:
    """Some schedules on some tasks; iterate over ``run`` to do the work."""

    def __init__(
        self,
        evaluator: ChunkEvaluator,
        tasks: Sequence[PreparedTask],
        schedules: Sequence[Schedule],
        value: str | None = None,
        named_by: Sequence[str | None] = (),
    ) -> None:
        """Plan a study.

        Args:
            evaluator: evaluates the model on chunks of documents.
            tasks: the tasks.
            schedules: the schedules.
            value: the value by which the tasks are read; None for each task's own.
            named_by: the group by which each task was named; None for a task that was named by itself.

        Raises:
            CornerstoneError: a task lacks the value asked for, or has none where a schedule looks at values.
        """
        self._evaluator = evaluator
        self._tasks = tasks
        self._schedules = schedules
        decide = resolve if any(schedule.looks for schedule in schedules) else resolve_if_any
        self._named_by = named_by or [None] * len(tasks)
        self._values = [decide(task.record, task.document_records, value) for task in tasks]

    def run(self, run_id: str, recorder: Recorder, listener: Listener = SILENT) -> Iterator[StudyEvent]:
        """Evaluate the outcomes that are not stored yet: each schedule, on each task, in turn.

        Args:
            run_id: the id of a run that ``recorder`` has begun.
            recorder: knows the stored outcomes, and stores new ones.
            listener: called between layer batches; it may end the study, and the chunk in flight is then lost. It is
                told of outcomes that are no numbers.

        Raises:
            CornerstoneError: some outcomes are no numbers; all others are recorded. Of a model that gives no number
                even with all layers, nothing is.
        """
        left_out: dict[str, None] = {}
        for schedule in self._schedules:
            for task, value, group in zip(self._tasks, self._values, self._named_by, strict=True):
                runner = PhaseRunner(run_id, schedule, task, value, self._evaluator, group)
                yield from runner.events(recorder, listener.on_batch)
                if runner.left_out:
                    left_out[runner.left_out.sentence()] = None
        *others, last = left_out or ("",)
        for sentence in others:
            listener.narrate(sentence)
        if last:
            raise CornerstoneError(last)
