"""A recorded run is stored with how it ended, whatever ended it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.errors import CornerstoneError
from core.records.memory_recorder import MemoryRecorder
from core.records.records import RunRecord, RunState
from core.study.recorded_run import INTERRUPTED_QUERY, WorkCancelledError, WorkEndedError, recorded_run
from tests.support.store_records import run


class Noting(MemoryRecorder):
    """Notes how runs begin and end."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def begin(self, run: RunRecord) -> None:
        self.notes.append(f"begin {run.run_id}")

    def finish(self, run_id: str, state: RunState) -> None:
        self.notes.append(f"{state} {run_id}")


def test_a_run_that_comes_to_its_end_is_finished() -> None:
    recorder = Noting()
    with recorded_run(recorder, run("one")) as run_id:
        assert recorder.notes == ["begin one"]
        assert run_id == "one"
    assert recorder.notes == ["begin one", "finished one"]


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (KeyboardInterrupt(), "stopped"),
        (SystemExit(), "stopped"),
        (RuntimeError(INTERRUPTED_QUERY), "stopped"),
        (WorkEndedError(), "stopped"),
        (WorkCancelledError(), "cancelled"),
        (RuntimeError("another"), "failed"),
        (CornerstoneError("no"), "failed"),
    ],
    ids=repr,
)
def test_a_run_that_something_ends_says_what(end: BaseException, state: str) -> None:
    recorder = Noting()
    with pytest.raises(type(end)), recorded_run(recorder, run("one")):
        raise end
    assert recorder.notes == ["begin one", f"{state} one"]


def test_a_run_whose_generator_is_closed_is_stopped() -> None:
    recorder = Noting()

    def work() -> Iterator[int]:
        with recorded_run(recorder, run("one")):
            yield 1
            yield 2

    generator = work()
    next(generator)
    generator.close()  # type: ignore[attr-defined]
    assert recorder.notes == ["begin one", "stopped one"]
