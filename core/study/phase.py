"""A phase at work: one schedule on one task, evaluated until its coalitions are stored or its units are decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.coalitions.players import Removed
from core.engine.sweep import OnBatch
from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError, IncompleteError
from core.records.records import Assignment, Outcome, Recorder
from core.study.evaluating import Crew, Evaluator, Skipped
from core.study.events import (
    ChunkRecorded,
    DocumentsSkipped,
    MemoryShort,
    Phase,
    PhaseFinished,
    PhaseStarted,
    StudyEvent,
    WorkersChanged,
)
from core.study.left_out import LeftOut, without_values
from core.study.not_done import NotDone, without_outcomes
from core.study.plan import Schedule
from core.study.running_estimate import RunningEstimate
from core.tasks.prepare import PreparedTask


class PhaseRunner:
    """Runs one schedule on one task: ``events`` does the work."""

    def __init__(
        self,
        run_id: str,
        schedule: Schedule,
        task: PreparedTask,
        value: str | None,
        evaluator: Evaluator,
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
        self.left_out = LeftOut(evaluator.record, task.record.name, len(self._occurrences))
        """The outcomes that are no numbers, which are not recorded."""
        self.not_done = NotDone(task.record.name)
        """The documents that no worker could evaluate."""
        self._estimate: RunningEstimate | None = None
        if schedule.looks and schedule.game is not None:
            assert value is not None, "a schedule that looks at values needs one"
            self._estimate = RunningEstimate(task.record, task.document_records, schedule.game, value, schedule.until)
        self.phase = Phase(
            run=run_id,
            model=evaluator.record,
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
            yield from self._looked()
            yield from self._evaluated(recorder, assignment, stored, on_batch, small_first=number == 0)
            if self.not_done and self._schedule.in_rounds:
                raise IncompleteError(self.not_done.sentence())
            if self.left_out and self._schedule.in_rounds:
                raise CornerstoneError(self.left_out.sentence())
        if self._estimate is not None and (looked := self._estimate.looked(self.phase, final=True)) is not None:
            yield looked
        yield PhaseFinished(self.phase)

    def _rounds(self) -> Iterable[tuple[Removed, ...]]:
        """Return the coalitions to evaluate: all at once, or in the rounds that the running estimate asks for."""
        if self._estimate is not None and self._schedule.in_rounds:
            return self._estimate.rounds()
        return [self._schedule.coalitions]

    def _assignment(self, coalitions: Sequence[Removed] = ()) -> Assignment:
        return Assignment.of(self.phase.model, self._task, coalitions)

    def _evaluated(
        self,
        recorder: Recorder,
        assignment: Assignment,
        stored: Mapping[str, frozenset[Removed]],
        on_batch: OnBatch,
        *,
        small_first: bool,
    ) -> Iterator[StudyEvent]:
        """Evaluate an assignment chunk by chunk: what is stored never again, and what is decided no further."""
        known = dict(stored)
        wanted = self._wanted(assignment.coalitions)
        while wanted:
            chunks = self._evaluator.missing(
                self._task,
                wanted,
                known,
                on_batch,
                small_first=small_first,
                in_order=self._schedule.until is not None,
            )
            small_first, before = False, wanted
            for chunk in chunks:
                if not isinstance(chunk, list | Skipped):
                    yield self._told(chunk)
                    continue
                yield from self._taken(recorder, assignment, chunk)
                for document in _documents_of(chunk):
                    known[document] = known.get(document, frozenset()).union(before)
                wanted = self._wanted(assignment.coalitions)
                if wanted != before:
                    break
            else:
                return

    def _told(self, change: SweepSizes | Crew) -> StudyEvent:
        if isinstance(change, Crew):
            return WorkersChanged(self.phase, change.ready, change.wanted)
        return MemoryShort(self.phase, change.state_tokens)

    def _taken(
        self, recorder: Recorder, assignment: Assignment, chunk: list[Outcome] | Skipped
    ) -> Iterator[StudyEvent]:
        """Record a chunk, or remember that it is skipped."""
        if not isinstance(chunk, Skipped):
            yield from self._recorded(recorder, assignment, chunk)
            return
        self.not_done.add(chunk)
        if self._estimate is not None:
            self._estimate.add(list(without_outcomes(chunk)))
        yield DocumentsSkipped(self.phase, len(chunk.documents), chunk.why)
        yield from self._looked()

    def _recorded(self, recorder: Recorder, assignment: Assignment, chunk: list[Outcome]) -> Iterator[StudyEvent]:
        """Record the outcomes of a chunk, and look at them."""
        kept, faulty = self.left_out.parted(chunk)
        if faulty and self.left_out.no_intact:
            raise CornerstoneError(self.left_out.of_the_model())
        recorder.record(self.phase.run, assignment, kept)
        if self._estimate is not None:
            self._estimate.add([*kept, *map(without_values, faulty)])
        self._done += sum(self._occurrences[outcome.document] for outcome in kept)
        yield ChunkRecorded(self.phase, self._done)
        yield from self._looked()

    def _looked(self) -> Iterator[StudyEvent]:
        """Look at the values, where the schedule may stop early, and tell what has changed."""
        if self._schedule.until is None or self._estimate is None or not self._estimate.look():
            return
        looked = self._estimate.looked(self.phase, final=False)
        if looked is not None and looked.verdict.undecided:
            yield looked

    def _wanted(self, coalitions: Sequence[Removed]) -> tuple[Removed, ...]:
        """Return the coalitions that further documents are evaluated under; () once all is decided."""
        if self._schedule.until is None or self._estimate is None:
            return tuple(coalitions)
        return self._estimate.still_needed(coalitions)


def _documents_of(chunk: list[Outcome] | Skipped) -> set[str]:
    if isinstance(chunk, Skipped):
        return {document.key for document in chunk.documents}
    return {outcome.document for outcome in chunk}
