"""What a study says at its end of outcomes that the store did not take."""

from __future__ import annotations

from pathlib import Path

from core.errors import CornerstoneError
from core.recording.status import Status
from core.study.kept import _left, _Told
from core.study.listener import Callbacks

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


class _Recorder:
    """A recorder whose status is set by hand, as no disk fails on command."""

    status = Status(0, 0, None, None, Path("/state"))

    def take_notices(self) -> list[str]:
        return []


def test_troubles_that_take_turns_are_told_once_each_until_the_store_is_written_again() -> None:
    said: list[str] = []
    recorder = _Recorder()
    told = _Told(recorder, Path("s.duckdb"), Callbacks(said.append, lambda _part: None))
    other = CornerstoneError("the store s.duckdb cannot be written (it was rolled back)")
    spool = Path("/state/1.spool")
    for waits, trouble in ((12, _FULL), (13, other), (14, _FULL), (15, other), (0, None), (0, None), (2, _FULL)):
        recorder.status = Status(waits, 0, trouble, None, spool)
        told.tell()
    ends = ("12 outcomes wait", "13 outcomes wait", "is written again", "2 outcomes wait")
    assert len(said) == len(ends)
    assert all(end in line for end, line in zip(ends, said, strict=True))


def test_each_pause_is_told() -> None:
    said: list[str] = []
    recorder = _Recorder()
    told = _Told(recorder, Path("s.duckdb"), Callbacks(said.append, lambda _part: None))
    for stuck in (None, _STUCK, _STUCK, None, _STUCK):
        recorder.status = Status(12, 0, _FULL, stuck, Path("/state/1.spool"))
        told.tell()
    assert ["evaluation pauses" in line for line in said] == [False, True, False, True]
