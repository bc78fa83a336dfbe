"""The writes to a recorder as plain values, so that they can wait, be kept in a spool, and be done later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.records.records import Assignment, Outcome, Recorder, RunRecord, RunState


@dataclass(frozen=True, slots=True)
class Begin:
    """A run begins."""

    run: RunRecord

    @property
    def run_id(self) -> str:
        return self.run.run_id

    def apply(self, recorder: Recorder) -> None:
        recorder.begin(self.run)


@dataclass(frozen=True, slots=True)
class Assign:
    """A run asks for the documents and coalitions of one task."""

    run_id: str
    assignment: Assignment

    def apply(self, recorder: Recorder) -> None:
        recorder.assign(self.run_id, self.assignment)


@dataclass(frozen=True, slots=True)
class Record:
    """Outcomes of an assignment."""

    run_id: str
    assignment: Assignment
    outcomes: Sequence[Outcome]

    def apply(self, recorder: Recorder) -> None:
        recorder.record(self.run_id, self.assignment, self.outcomes)


@dataclass(frozen=True, slots=True)
class Finish:
    """A run ends."""

    run_id: str
    state: RunState

    def apply(self, recorder: Recorder) -> None:
        recorder.finish(self.run_id, self.state)


Write = Begin | Assign | Record | Finish

_TOGETHER = 20_000
"""So many outcomes are written in one transaction, where many writes have waited."""


def joined(writes: Iterable[Write]) -> Iterator[Write]:
    """Join outcomes that follow each other in one run and one assignment, up to some thousands."""
    waiting: list[Record] = []
    count = 0
    for write in writes:
        if waiting and not (_alike(waiting[0], write) and count < _TOGETHER):
            yield _join(waiting)
            waiting, count = [], 0
        if isinstance(write, Record):
            waiting.append(write)
            count += len(write.outcomes)
        else:
            yield write
    if waiting:
        yield _join(waiting)


def _alike(record: Record, write: Write) -> bool:
    return isinstance(write, Record) and (record.run_id, record.assignment) == (write.run_id, write.assignment)


def _join(records: Sequence[Record]) -> Record:
    first = records[0]
    outcomes = first.outcomes if len(records) == 1 else [one for record in records for one in record.outcomes]
    return Record(first.run_id, first.assignment, outcomes)
