"""A phase at work: one schedule on one task, evaluated until its coalitions are stored or its top is decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from core.coalitions.players import Removed
from core.engine.sizes import SweepSizes
from core.engine.sweep import OnBatch
from core.errors import CornerstoneError
from core.records.records import Assignment, Outcome, Recorder
from core.study.chunks import ChunkEvaluator
from core.study.events import ChunkRecorded, MemoryShort, Phase, PhaseFinished, PhaseStarted, StudyEvent
from core.study.left_out import LeftOut
from core.study.plan import Schedule
from core.study.running_estimate import Look, RunningEstimate
from core.tasks.prepare import PreparedTask


class PhaseRunner:
    """Runs one schedule on one task: ``events`` does the work."""

    def __init__(
        self,
        run_id: str,
        schedule: Schedule,
        task: PreparedTask,
        value: str | None,
        evaluator: ChunkEvaluator,
        group: str | None = None,
    ) -> None:
        """Plan a phase.

        Args:
            run_id: the id of its run.
            schedule: the coalitions, and when to stop.
            task: the task.
            value: the value by which the task is read; None if it has no value.
            evaluator: evaluates the chunks.
            group: the group by which the task was named; None if it was named by itself.
        """
        self._schedule = schedule
        self._task = task
        self._evaluator = evaluator
        self._occurrences = Counter(record.key for record in task.document_records)
        self._done = 0
        self.left_out = LeftOut(evaluator.model.record, task.record.name, len(self._occurrences))
        """The outcomes that are no numbers, which are not recorded."""
        self._look: Look | None = None
        self._estimate: RunningEstimate | None = None
        if schedule.looks and schedule.game is not None:
            assert value is not None, "a schedule that looks at values needs one"
            self._estimate = RunningEstimate(task.record, task.document_records, schedule.game, value)
        self.phase = Phase(
            run=run_id,
            model=evaluator.model.record,
            task=task.record,
            data=task.data,
            schedule=schedule.name,
            documents=len(task.documents),
            coalitions=schedule.size,
            question=schedule.question,
            value=value,
            group=group,
        )

    def events(self, recorder: Recorder, on_batch: OnBatch) -> Iterator[StudyEvent]:
        """Evaluate the outcomes that are not stored yet, and yield events.

        Args:
            recorder: knows the stored outcomes, and stores new ones.
            on_batch: called between layer batches with how many outcomes of the chunk in flight are done.

        Raises:
            CornerstoneError: the intact model gives no number for the documents tried, or a schedule in rounds
                cannot go on because a coalition gives none.
        """
        if self._estimate is not None:
            self._estimate.load(recorder.values(self._assignment(), self._estimate.value))
        for number, coalitions in enumerate(self._rounds()):
            assignment = self._assignment(coalitions)
            recorder.assign(self.phase.run, assignment)
            stored = recorder.stored(assignment)
            self._done += sum(len(stored.get(key, ())) * times for key, times in self._occurrences.items())
            if number == 0:
                yield PhaseStarted(self.phase, self._done)
            if self._is_decided():
                break
            missing = self._evaluator.missing(self._task, coalitions, stored, on_batch)
            yield from self._recorded(recorder, assignment, missing)
            if self.left_out and self._schedule.in_rounds:
                raise CornerstoneError(self.left_out.sentence())
        until = self._schedule.until
        if until is not None and self._look is not None:
            yield self._look.event(self.phase, until.top, until.confidence)
        yield PhaseFinished(self.phase)

    def _rounds(self) -> Iterable[tuple[Removed, ...]]:
        """Return the coalitions to evaluate: all at once, or in the rounds that the running estimate asks for."""
        if self._estimate is not None and self._schedule.in_rounds:
            return self._estimate.rounds()
        return [self._schedule.coalitions]

    def _assignment(self, coalitions: Sequence[Removed] = ()) -> Assignment:
        return Assignment.of(self.phase.model, self._task, coalitions)

    def _recorded(
        self, recorder: Recorder, assignment: Assignment, chunks: Iterable[list[Outcome] | SweepSizes]
    ) -> Iterator[StudyEvent]:
        """Record chunks as they are evaluated, until there is no more or the top is decided."""
        for chunk in chunks:
            if isinstance(chunk, SweepSizes):
                yield MemoryShort(self.phase, chunk.state_tokens)
                continue
            kept = self.left_out.sound(chunk)
            if len(kept) < len(chunk) and self.left_out.no_intact:
                raise CornerstoneError(self.left_out.of_the_model())
            recorder.record(self.phase.run, assignment, kept)
            if self._estimate is not None:
                self._estimate.add(kept)
            self._done += sum(self._occurrences[outcome.document] for outcome in kept)
            yield ChunkRecorded(self.phase, self._done)
            if self._is_decided():
                return

    def _is_decided(self) -> bool:
        """Look at the values, where the schedule may stop early, and return whether it may stop now."""
        until = self._schedule.until
        if self._estimate is None or until is None:
            return False
        self._look = self._estimate.look(until.top, until.confidence)
        return self._look is not None and self._look.verdict.decided
