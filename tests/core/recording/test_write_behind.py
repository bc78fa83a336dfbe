"""Keeping outcomes while somebody else holds the store: at once, in order, each once, none lost."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import duckdb
import pytest

from core.coalitions.schedules import windows
from core.errors import CornerstoneError, InUseError
from core.machine.process import here
from core.recording.orphans import damaged_spools, waiting_spools
from core.recording.write_behind import WriteBehindRecorder
from core.records.records import Assignment, Outcome, RunRecord, RunState
from store.file.database import writing
from store.recorder import StoreRecorder
from store.results import Results
from store.rows import RunRow
from tests.support.store_holder import held
from tests.support.store_records import PLAYERS, assignment, documents, keep, outcome, run

PATIENCE_S = 240.0

ReadT = TypeVar("ReadT")

asked = assignment(documents(range(4)), windows(PLAYERS, 2))


def chunks() -> list[list[Outcome]]:
    """Return the outcomes of each document."""
    return [[outcome(document.key, removed) for removed in asked.coalitions] for document in asked.documents]


class Change:
    """Waits for a change that the recorder reports."""

    def __init__(self) -> None:
        self._happened = threading.Condition()

    def __call__(self) -> None:
        with self._happened:
            self._happened.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self._happened:
            assert self._happened.wait_for(true, PATIENCE_S)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    with writing(path):
        return path


@pytest.fixture
def change() -> Change:
    return Change()


@pytest.fixture
def behind(store: Path, change: Change) -> Iterator[WriteBehindRecorder]:
    one = WriteBehindRecorder(StoreRecorder(store, patience=0.2), store, on_change=change)
    yield one
    one.close(0)


def hand_over(behind: WriteBehindRecorder) -> int:
    """Hand over a whole run; return how many outcomes it has."""
    behind.begin(run())
    behind.assign("run1", asked)
    for chunk in chunks():
        behind.record("run1", asked, chunk)
    behind.finish("run1", "finished")
    return sum(map(len, chunks()))


def stored(path: Path) -> dict[str, frozenset[tuple[int, ...]]]:
    return dict(StoreRecorder(path).stored(asked))


class Waiting(StoreRecorder):
    """Records nothing until it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.told = threading.Event()

    def begin(self, record: RunRecord) -> None:
        assert self.told.wait(PATIENCE_S)
        super().begin(record)


def test_who_hands_over_does_not_wait_for_the_store(store: Path, change: Change) -> None:
    recorder = Waiting(store)
    behind = WriteBehindRecorder(recorder, store, on_change=change)
    total = hand_over(behind)  # the recorder is told only when this has come back
    assert behind.unsaved == total
    recorder.told.set()
    change.until(lambda: behind.unsaved == 0)
    assert behind.close(PATIENCE_S).outcomes == 0
    assert len(stored(store)) == len(asked.documents)


def test_outcomes_queue_while_the_store_is_held_and_are_written_when_it_is_let_go(
    store: Path, behind: WriteBehindRecorder, change: Change
) -> None:
    with held(store):
        total = hand_over(behind)  # comes back although nobody lets go of the store
        assert behind.unsaved == total
        change.until(lambda: "in use" in str(behind.status.trouble))
        assert behind.unsaved == total
    change.until(lambda: behind.unsaved == 0 and not behind.status.trouble)
    assert behind.close(PATIENCE_S).outcomes == 0
    assert stored(store) == {document.key: frozenset(asked.coalitions) for document in asked.documents}
    (row,) = Results(store).runs().rows
    assert (row.state, row.outcomes) == ("finished", total)


def test_a_run_that_goes_on_before_its_end_was_written_is_known_until_it_ends_for_good(
    store: Path, behind: WriteBehindRecorder, change: Change
) -> None:
    with held(store):
        hand_over(behind)
        behind.begin(run())
    change.until(lambda: not behind.flush(0) and not behind._waiting)
    store.unlink()
    behind.record("run1", asked, chunks()[0])
    behind.finish("run1", "finished")
    assert behind.close(PATIENCE_S).outcomes == 0
    (row,) = Results(store).runs().rows
    assert (row.run, row.state, row.outcomes) == ("run1", "finished", len(chunks()[0]))
    assert not behind._runs


def test_closing_writes_what_waits(store: Path, behind: WriteBehindRecorder) -> None:
    total = hand_over(behind)
    assert behind.close(PATIENCE_S).outcomes == 0
    assert behind.close(PATIENCE_S).outcomes == 0
    assert Results(store).runs().rows[0].outcomes == total


def test_closing_while_the_store_is_held_says_what_waits(
    store: Path, behind: WriteBehindRecorder, change: Change
) -> None:
    with held(store):
        total = hand_over(behind)
        change.until(lambda: "in use" in str(behind.status.trouble))
        assert behind.close(0.5).outcomes == total
        assert "in use" in str(behind.status.trouble)
    assert Results(store).runs().rows == ()


def test_who_else_writes_is_not_waited_for(store: Path, behind: WriteBehindRecorder) -> None:
    elsewhere = json.dumps({**here(), "host": "another machine"})
    StoreRecorder(store).begin(RunRecord("1a2b3c4d", "cornerstone run quickstart", "{}", elsewhere, 0))
    assert [writer.run_id for writer in behind.writers()] == ["1a2b3c4d"]
    with held(store):
        assert behind.writers() == ()


class Watched(StoreRecorder):
    """Notes what it was asked, and fails when told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[str] = []
        self.fault: Exception | None = None

    def _next(self, name: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.asked.append(name)

    def begin(self, run) -> None:  # type: ignore[no-untyped-def]
        self._next("begin")
        super().begin(run)

    def assign(self, run_id: str, assignment: Assignment) -> None:
        self._next("assign")
        super().assign(run_id, assignment)

    def record(self, run_id: str, assignment: Assignment, outcomes) -> None:  # type: ignore[no-untyped-def]
        for document in dict.fromkeys(one.document for one in outcomes):
            self._next(document)
        super().record(run_id, assignment, outcomes)

    def finish(self, run_id: str, state: RunState) -> None:
        self._next("finish")
        super().finish(run_id, state)


def test_everything_is_written_once_and_in_order(store: Path, change: Change) -> None:
    recorder = Watched(store)
    behind = WriteBehindRecorder(recorder, store, on_change=change)
    hand_over(behind)
    assert behind.close(PATIENCE_S).outcomes == 0
    assert recorder.asked == ["begin", "assign", *(document.key for document in asked.documents), "finish"]


@pytest.mark.slow
def test_any_fault_of_a_write_is_told_and_tried_again_until_it_works(store: Path, change: Change) -> None:
    recorder = Watched(store)
    behind = WriteBehindRecorder(recorder, store, on_change=change)
    for fault in (ZeroDivisionError("no such luck"), duckdb.TransactionException("no space"), duckdb.FatalException()):
        recorder.fault = fault
        behind.begin(run(run_id := type(fault).__name__))
        behind.assign(run_id, asked)
        behind.record(run_id, asked, chunks()[0])
        change.until(lambda: behind.status.trouble is not None)
        assert str(fault) in str(behind.status.trouble)
        assert (behind.unsaved, behind.status.unsafe) == (len(asked.coalitions), 0), "it is in the spool"
        recorder.fault = None
        change.until(lambda: behind.unsaved == 0 and behind.status.trouble is None)
    assert behind.close(PATIENCE_S).outcomes == 0
    assert len(stored(store)["doc-0"]) == len(asked.coalitions)
    assert waiting_spools(store) == ()


def test_what_waits_is_known_also_from_the_spool(store: Path, behind: WriteBehindRecorder, change: Change) -> None:
    keep(store, asked, chunks()[0], run_id="earlier")
    with held(store):
        behind.begin(run())
        behind.assign("run1", asked)
        for chunk in chunks()[1:]:
            behind.record("run1", asked, chunk)
        change.until(lambda: behind.status.unsafe == 0)
        assert len(waiting_spools(store)) == 1
        with pytest.raises(InUseError):
            behind.values(asked, "margin")
    for _ in range(2):
        known = free(lambda: behind.stored(asked))
        assert known == {document.key: frozenset(asked.coalitions) for document in asked.documents}
        assert free(lambda: behind.values(asked, "margin")).there.all()
        behind.flush(PATIENCE_S)
    assert behind.close(PATIENCE_S).outcomes == 0


@pytest.mark.slow
@pytest.mark.parametrize("patient", [False, True])
def test_a_store_that_is_removed_between_chunks_is_made_anew_with_the_run_and_that_is_said(
    store: Path, patient: bool
) -> None:
    behind = recorder_of(store, patient=patient)
    first, second, third, last = chunks()
    behind.begin(run())
    behind.assign("run1", asked)
    behind.record("run1", asked, first)
    behind.flush(PATIENCE_S)
    store.unlink()
    behind.record("run1", asked, second)
    behind.flush(PATIENCE_S)
    assert [notice for notice in behind.take_notices() if "removed or replaced" in notice and str(store) in notice]
    other = store.with_name("other.duckdb")
    keep(other, asked, first, run_id="another")
    other.replace(store)  # a store that knows the documents, and not the run
    behind.record("run1", asked, third)
    behind.record("run1", asked, last)
    behind.finish("run1", "finished")
    assert behind.close(PATIENCE_S).outcomes == 0
    assert {row.run: (row.state, row.outcomes) for row in Results(store).runs().rows} == {
        "run1": ("finished", 2 * len(asked.coalitions)),
        "another": ("finished", len(asked.coalitions)),
    }


@pytest.mark.parametrize("patient", [False, True])
def test_a_file_in_place_of_the_store_is_not_written_and_outcomes_wait_for_its_end(store: Path, patient: bool) -> None:
    behind = recorder_of(store, patient=patient)
    behind.begin(run())
    behind.assign("run1", asked)
    behind.flush(PATIENCE_S)
    store.unlink()
    store.write_text("my notes")
    os.utime(store, (0, 0))  # one that is new might be a store that somebody makes
    for chunk in chunks():
        behind.record("run1", asked, chunk)
    behind.finish("run1", "finished")
    until(lambda: behind.status.trouble is not None)
    left = behind.close(0.1)
    assert (left.outcomes, left.unsafe) == (4 * len(asked.coalitions), 0)
    assert f"{store} is not a DuckDB file" in left.sentence
    assert store.read_text() == "my notes"
    store.unlink()
    later = recorder_of(store, patient=patient)
    later.begin(run("later"))
    change_of = {row.run: row.outcomes for row in until_recovered(store, 2)}
    assert change_of == {"run1": 4 * len(asked.coalitions), "later": 0}
    assert any(f"{4 * len(asked.coalitions)} outcomes" in notice for notice in later.take_notices())
    later.close(PATIENCE_S)


def test_a_run_that_cannot_begin_is_refused_at_once_by_a_patient_recorder(store: Path) -> None:
    store.write_text("my notes")
    os.utime(store, (0, 0))  # one that is new might be a store that somebody makes
    behind = recorder_of(store, patient=True)
    with pytest.raises(CornerstoneError, match="is not a DuckDB file"):
        behind.begin(run())
    assert behind.close(0).outcomes == 0
    assert waiting_spools(store) == ()


def test_a_patient_recorder_returns_once_outcomes_are_stored(store: Path) -> None:
    behind = recorder_of(store, patient=True)
    behind.begin(run())
    behind.assign("run1", asked)
    for count, chunk in enumerate(chunks(), 1):
        behind.record("run1", asked, chunk)
        assert len(stored(store)) == count
    assert behind.close(0).outcomes == 0


@pytest.mark.slow
def test_where_nothing_can_be_written_record_waits_with_one_chunk_in_memory(store: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way of the spool")
    behind = recorder_of(store, patient=True)
    behind.begin(run())
    behind.assign("run1", asked)
    store.rename(store.with_name("moved"))
    store.mkdir()
    asked_to_wait: list[str] = []

    def while_waiting() -> None:
        if behind.stuck:
            assert behind.status.unsafe == len(asked.coalitions)
            asked_to_wait.append(behind.status.sentence)
            if len(asked_to_wait) == 5:
                store.rmdir()
                store.with_name("moved").rename(store)

    behind.while_waiting = while_waiting
    behind.record("run1", asked, chunks()[0])
    assert len(asked_to_wait) >= 5
    assert "evaluation pauses" in asked_to_wait[0]
    assert str(tmp_path / "state") in asked_to_wait[0]
    behind.record("run1", asked, chunks()[1])
    assert behind.close(PATIENCE_S).outcomes == 0
    assert len(stored(store)) == 2


def test_who_waits_because_nothing_can_be_written_can_be_stopped_and_what_was_handed_over_stays(
    store: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way of the spool")
    behind = recorder_of(store, patient=True)
    behind.begin(run())
    behind.assign("run1", asked)
    store.rename(store.with_name("moved"))
    store.mkdir()

    def stop() -> None:
        if behind.stuck:
            raise KeyboardInterrupt

    behind.while_waiting = stop
    with pytest.raises(KeyboardInterrupt):
        behind.record("run1", asked, chunks()[0])
    behind.while_waiting = lambda: None
    (tmp_path / "state").unlink()
    assert (behind.close(0).unsafe, behind.unsaved) == (0, len(asked.coalitions))
    assert [waits.outcomes for waits in waiting_spools(store)] == [len(asked.coalitions)]


def test_a_spool_that_is_damaged_while_its_writer_lives_is_kept_aside_and_the_rest_is_stored(
    store: Path, behind: WriteBehindRecorder, change: Change
) -> None:
    with held(store):
        hand_over(behind)
        change.until(lambda: behind.status.unsafe == 0)
        (spool,) = waiting_spools(store)
        content = spool.path.read_bytes()
        with spool.path.open("r+b") as file:
            file.seek(content.index(b'"document":"doc-2","removed":[1]'))
            file.write(b"#")
    assert behind.flush(PATIENCE_S) == 0
    change.until(lambda: damaged_spools(store) != ())
    notices = behind.take_notices()
    assert any(f"{spool.path} cannot be read" in notice for notice in notices)
    assert any(str(damaged_spools(store)[0]) in notice for notice in notices)
    assert set(stored(store)) == {"doc-0", "doc-1", "doc-3"}
    assert waiting_spools(store) == ()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def free(read: Callable[[], ReadT]) -> ReadT:
    """Read as soon as nobody writes."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return read()
        except InUseError:
            assert time.monotonic() < deadline


def recorder_of(store: Path, *, patient: bool) -> WriteBehindRecorder:
    waiting = StoreRecorder(store, patience=5) if patient else None
    return WriteBehindRecorder(StoreRecorder(store, patience=2), store, patient=waiting)


def until_recovered(store: Path, runs: int) -> Sequence[RunRow]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        rows = Results(store).runs().rows if store.exists() else ()
        if len(rows) == runs and waiting_spools(store) == ():
            return rows
        time.sleep(0.5)
    raise AssertionError(f"not within {PATIENCE_S} s")
