"""A recorder in memory, for outcomes that are read once and not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.coalitions.players import Removed
from core.records.records import Assignment, Outcome, RunRecord, RunState, StoredValues, Writer


class MemoryRecorder:
    """Keeps one task's outcomes in memory, by document key and coalition. It says that nothing is stored."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, Removed], Outcome] = {}

    def begin(self, run: RunRecord) -> None: ...

    def assign(self, run_id: str, assignment: Assignment) -> None: ...

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        return {}

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        return StoredValues((), (), np.empty((0, 0)), np.empty((0, 0), dtype=np.bool_))

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            assert (outcome.document, outcome.removed) not in self.outcomes, "evaluated twice"
            self.outcomes[outcome.document, outcome.removed] = outcome

    def finish(self, run_id: str, state: RunState) -> None: ...

    def writers(self) -> tuple[Writer, ...]:
        return ()
