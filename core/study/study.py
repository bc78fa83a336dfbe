"""A study: each of some schedules on each of some tasks, evaluated chunk by chunk.

A chunk of documents is evaluated under all coalitions. So stopping early leaves every coalition with the same
documents, and a killed run loses the chunk in flight and no more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from core.errors import CornerstoneError, IncompleteError
from core.records.records import Recorder
from core.study.evaluating import Evaluator
from core.study.events import ChunkRecorded, StudyEvent
from core.study.listener import SILENT, Listener
from core.study.phase import PhaseRunner
from core.study.plan import Schedule, Until, UntilCost
from core.tasks.prepare import PreparedTask
from core.values.corpus import refuse_corpus_value
from core.values.of_task import resolve, resolve_if_any
from core.values.raced import cost_race_by


class Study:
    """Some schedules on some tasks; iterate over ``run`` to do the work."""

    def __init__(
        self,
        evaluator: Evaluator,
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
            CornerstoneError: a task lacks the value asked for, or has none where a schedule looks at values, or
                something is to be decided by one that is no mean over documents, or never changes by so much.
        """
        self._evaluator = evaluator
        self._tasks = tasks
        self._schedules = schedules
        decide = resolve if any(schedule.looks for schedule in schedules) else resolve_if_any
        self._named_by = named_by or [None] * len(tasks)
        self._values = [decide(task.record, task.document_records, value) for task in tasks]
        for task, own in zip(tasks, self._values, strict=True):
            if own is not None:
                for schedule in schedules:
                    _refuse_undecidable(schedule.until, task, own)

    def run(
        self, run_id: str, recorder: Recorder, listener: Listener = SILENT, *, in_turn: bool = False
    ) -> Iterator[StudyEvent]:
        """Evaluate the outcomes that are not stored yet: each schedule, on each task.

        Args:
            run_id: the id of a run that ``recorder`` has begun.
            recorder: knows the stored outcomes, and stores new ones.
            listener: called between layer batches; it may end the study, and the chunk in flight is then lost. It is
                told of outcomes that are no numbers.
            in_turn: evaluate a chunk of each task in turn, and not one task after the other.

        Raises:
            CornerstoneError: some outcomes are no numbers; all others are recorded. Of a model that gives no number
                even with all layers, nothing is.
            IncompleteError: some documents could not be evaluated; all other outcomes are recorded.
        """
        left_out: dict[str, None] = {}
        not_done: dict[str, None] = {}
        each = list(zip(self._tasks, self._values, self._named_by, strict=True))
        for schedule in self._schedules:
            runners = [
                PhaseRunner(run_id, schedule, task, value, self._evaluator, group) for task, value, group in each
            ]
            phases = [runner.events(recorder, listener.on_batch) for runner in runners]
            yield from _in_turn(phases) if in_turn else chain.from_iterable(phases)
            left_out |= {runner.left_out.sentence(): None for runner in runners if runner.left_out}
            not_done |= {runner.not_done.sentence(): None for runner in runners if runner.not_done}
        *others, last = (*left_out, *not_done) or ("",)
        for sentence in others:
            listener.narrate(sentence)
        if last:
            raise IncompleteError(last) if not_done else CornerstoneError(last)


def _refuse_undecidable(until: Until | UntilCost | None, task: PreparedTask, value: str) -> None:
    if until is None:
        return
    what = "the top" if isinstance(until, Until) else "what units cost"
    refuse_corpus_value(value, f"to decide {what} on {task.record.name}")
    if isinstance(until, UntilCost):
        cost_race_by(value, task.record.mean_metrics, until.cost)


def _in_turn(phases: Iterable[Iterator[StudyEvent]]) -> Iterator[StudyEvent]:
    """Yield the events of phases, up to a chunk of each in turn."""
    waiting = deque(phases)
    while waiting:
        phase = waiting.popleft()
        for event in phase:
            yield event
            if isinstance(event, ChunkRecorded):
                waiting.append(phase)
                break
