"""Keeping outcomes while somebody else holds the store: at once, in order, each once, none lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.coalitions.players import players_of
from core.coalitions.schedules import windows
from core.evaluator.live_task import LiveTask
from core.evaluator.write_behind import WriteBehindRecorder
from core.machine.process import here
from core.records.records import Assignment, Outcome, RunRecord, RunState
from store.file.database import writing
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_holder import held
from tests.support.store_records import KINDS, PLAYERS, assignment, documents, keep, outcome, run

PATIENCE_S = 60.0

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
    one = WriteBehindRecorder(StoreRecorder(store, patience=0.2), change)
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
    behind = WriteBehindRecorder(recorder, change)
    total = hand_over(behind)  # the recorder is told only when this has come back
    assert behind.unsaved == total
    recorder.told.set()
    change.until(lambda: behind.unsaved == 0)
    assert behind.close(PATIENCE_S) == 0
    assert len(stored(store)) == len(asked.documents)


def test_outcomes_queue_while_the_store_is_held_and_are_written_when_it_is_let_go(
    store: Path, behind: WriteBehindRecorder, change: Change
) -> None:
    with held(store):
        total = hand_over(behind)  # comes back although nobody lets go of the store
        assert behind.unsaved == total
        change.until(lambda: "in use" in str(behind.trouble))
        assert behind.unsaved == total
    change.until(lambda: behind.unsaved == 0 and not behind.trouble)
    assert behind.close(PATIENCE_S) == 0
    assert stored(store) == {document.key: frozenset(asked.coalitions) for document in asked.documents}
    (row,) = Results(store).runs().rows
    assert (row.state, row.outcomes) == ("finished", total)


def test_closing_writes_what_waits(store: Path, behind: WriteBehindRecorder) -> None:
    total = hand_over(behind)
    assert behind.close(PATIENCE_S) == 0
    assert behind.close(PATIENCE_S) == 0
    assert Results(store).runs().rows[0].outcomes == total


def test_closing_while_the_store_is_held_says_what_is_lost(store: Path, behind: WriteBehindRecorder) -> None:
    with held(store):
        total = hand_over(behind)
        assert behind.close(0.5) == total
        assert "in use" in str(behind.trouble)
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
        self._next(outcomes[0].document)
        super().record(run_id, assignment, outcomes)

    def finish(self, run_id: str, state: RunState) -> None:
        self._next("finish")
        super().finish(run_id, state)


def test_everything_is_written_once_and_in_order(store: Path, change: Change) -> None:
    recorder = Watched(store)
    behind = WriteBehindRecorder(recorder, change)
    hand_over(behind)
    assert behind.close(PATIENCE_S) == 0
    assert recorder.asked == ["begin", "assign", *(document.key for document in asked.documents), "finish"]


def test_an_unexpected_fault_is_told_at_the_next_call_and_nothing_is_called_saved(store: Path, change: Change) -> None:
    recorder = Watched(store)
    recorder.fault = ZeroDivisionError("no such luck")
    behind = WriteBehindRecorder(recorder, change)
    behind.begin(run())
    change.until(lambda: "no such luck" in str(behind.trouble))
    with pytest.raises(RuntimeError, match="no longer be stored") as caught:
        behind.record("run1", asked, chunks()[0])
    assert caught.value.__cause__ is recorder.fault
    behind.close(PATIENCE_S)


def test_outcomes_go_to_every_live_task_of_their_game_before_they_are_written(
    store: Path, behind: WriteBehindRecorder
) -> None:
    small = assignment(documents([0]), asked.coalitions)
    live_tasks = LiveTask(asked, players_of(KINDS)), LiveTask(small, players_of(KINDS))
    behind.live_tasks = live_tasks
    with held(store):
        hand_over(behind)
        for live_task, size in zip(live_tasks, (4, 1), strict=True):
            intact = live_task.charts(2).intact
            assert intact is not None
            assert intact.n == size
        assert behind.stored(small) == {"doc-0": frozenset(asked.coalitions)}


def test_what_no_live_task_knows_is_asked_of_the_store(store: Path, behind: WriteBehindRecorder) -> None:
    keep(store, asked, chunks()[0], run_id="earlier")
    assert behind.stored(asked) == {"doc-0": frozenset(asked.coalitions)}
    behind.live_tasks = (LiveTask(assignment(documents([0]), asked.coalitions), players_of(KINDS)),)
    assert behind.stored(asked) == {"doc-0": frozenset(asked.coalitions)}


def test_a_new_live_task_has_what_is_stored_and_what_waits(store: Path, change: Change) -> None:
    """Also where waiting outcomes are written while the store is read."""
    release, reading = threading.Event(), threading.Event()

    class Slow(StoreRecorder):
        def record(self, run_id, assignment, outcomes) -> None:  # type: ignore[no-untyped-def]
            reading.wait(PATIENCE_S)
            super().record(run_id, assignment, outcomes)
            release.set()

        def values(self, assignment, metric):  # type: ignore[no-untyped-def]
            found = super().values(assignment, metric)
            reading.set()
            release.wait(PATIENCE_S)
            return found

    keep(store, asked, chunks()[0], run_id="earlier")
    behind = WriteBehindRecorder(Slow(store), change)
    behind.begin(run())
    behind.assign("run1", asked)
    behind.record("run1", asked, chunks()[1])
    live_task = LiveTask(asked, players_of(KINDS))
    behind.fill(live_task, asked)
    change.until(lambda: behind.unsaved == 0)
    behind.close(PATIENCE_S)
    evaluated = live_task.evaluated(asked)
    assert [len(evaluated[document.key]) for document in asked.documents] == [len(asked.coalitions)] * 2 + [0, 0]
