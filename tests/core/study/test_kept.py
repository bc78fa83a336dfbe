"""What a study says at its end of outcomes that the store did not take."""

from __future__ import annotations

from pathlib import Path

from core.errors import CornerstoneError
from core.recording.status import Status
from core.study.kept import _left

_FULL = CornerstoneError("cannot write to the store s.duckdb: No space left on device")
_STUCK = CornerstoneError("cannot write the spool /state: No space left on device")


def test_outcomes_that_wait_are_told_with_the_reason_first() -> None:
    assert _left(Status(12, 0, _FULL, None, Path("/state/1.spool"))) == (
        "cannot write to the store s.duckdb: No space left on device; 12 outcomes wait in /state/1.spool, from which "
        "the next run on this store stores them"
    )
    assert "; 1 outcome waits in " in _left(Status(1, 0, _FULL, None, Path("/state/1.spool")))


def test_outcomes_that_are_lost_are_told() -> None:
    assert _left(Status(3, 3, _FULL, _STUCK, Path("/state"))).endswith(
        "cannot write the spool /state: No space left on device, so 3 outcomes are lost"
    )
    both = _left(Status(3, 1, _FULL, _STUCK, Path("/state/1.spool")))
    assert "so 1 outcome is lost; 2 outcomes wait in /state/1.spool" in both
