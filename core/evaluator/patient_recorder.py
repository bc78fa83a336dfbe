"""A recorder whose readings wait while the store is in use. The evaluator's own writes use it for moments, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from core.coalitions.players import Removed
from core.errors import InUseError
from core.records.records import Assignment, Outcome, Recorder, RunRecord, RunState, StoredValues, Writer

_AGAIN_S: Final = 0.1

ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True)
class PatientRecorder:
    """Passes every call on to ``recorder``. ``while_waiting`` is called before a reading is tried again."""

    recorder: Recorder
    while_waiting: Callable[[], None]

    def begin(self, run: RunRecord) -> None:
        self.recorder.begin(run)

    def assign(self, run_id: str, assignment: Assignment) -> None:
        self.recorder.assign(run_id, assignment)

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        return self._patiently(lambda: self.recorder.stored(assignment))

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        return self._patiently(lambda: self.recorder.values(assignment, metric))

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        self.recorder.record(run_id, assignment, outcomes)

    def finish(self, run_id: str, state: RunState) -> None:
        self.recorder.finish(run_id, state)

    def writers(self) -> tuple[Writer, ...]:
        return self.recorder.writers()

    def _patiently(self, read: Callable[[], ReadT]) -> ReadT:
        """Read, again and again while the store is in use; what ``while_waiting`` raises ends that."""
        while True:
            try:
                return read()
            except InUseError:
                self.while_waiting()
                time.sleep(_AGAIN_S)
