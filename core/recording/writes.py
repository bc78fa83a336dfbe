"""The writes to a recorder as plain values, so that they can wait, be kept in a spool, and be done later."""

from __future__ import annotations

from collections.abc import Sequence
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
