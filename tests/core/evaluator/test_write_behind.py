"""Keeping outcomes while somebody else holds the store: at once, in order, each once, none lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.coalitions.players import players_of
from core.coalitions.schedules import windows
from core.evaluator.live_task import Board
from core.evaluator.write_behind import Keeper
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
    """A document's outcomes at a time."""
    return [[outcome(document.key, removed) for removed in asked.coalitions] for document in asked.documents]


class Change:
    """Waits for what a keeper reports."""

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
def keeper(store: Path, change: Change) -> Iterator[Keeper]:
    one = Keeper(StoreRecorder(store, patience=0.2), change)
    yield one
    one.close(0)


def hand_over(keeper: Keeper) -> int:
    """A whole run; how many outcomes it has."""
    keeper.begin(run())
    keeper.assign("run1", asked)
    for chunk in chunks():
        keeper.record("run1", asked, chunk)
    keeper.finish("run1", "finished")
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
    keeper = Keeper(recorder, change)
    total = hand_over(keeper)  # the recorder is told only when this has come back
    assert keeper.unsaved == total
    recorder.told.set()
    change.until(lambda: keeper.unsaved == 0)
    assert keeper.close(PATIENCE_S) == 0
    assert len(stored(store)) == len(asked.documents)


def test_outcomes_queue_while_the_store_is_held_and_are_written_when_it_is_let_go(
    store: Path, keeper: Keeper, change: Change
) -> None:
    with held(store):
        total = hand_over(keeper)  # comes back although nobody lets go of the store
        assert keeper.unsaved == total
        change.until(lambda: "in use" in keeper.trouble)
        assert keeper.unsaved == total
    change.until(lambda: keeper.unsaved == 0 and not keeper.trouble)
    assert keeper.close(PATIENCE_S) == 0
    assert stored(store) == {document.key: frozenset(asked.coalitions) for document in asked.documents}
    (row,) = Results(store).runs().rows
    assert (row.state, row.outcomes) == ("finished", total)


def test_closing_writes_what_waits(store: Path, keeper: Keeper) -> None:
    total = hand_over(keeper)
    assert keeper.close(PATIENCE_S) == 0
    assert keeper.close(PATIENCE_S) == 0
    assert Results(store).runs().rows[0].outcomes == total


def test_closing_while_the_store_is_held_says_what_is_lost(store: Path, keeper: Keeper) -> None:
    with held(store):
        total = hand_over(keeper)
        assert keeper.close(0.5) == total
        assert "in use" in keeper.trouble
    assert Results(store).runs().rows == ()


def test_who_else_writes_is_not_waited_for(store: Path, keeper: Keeper) -> None:
    elsewhere = json.dumps({**here(), "host": "another machine"})
    StoreRecorder(store).begin(RunRecord("1a2b3c4d", "cornerstone run quickstart", "{}", elsewhere, 0))
    assert [writer.run_id for writer in keeper.writers()] == ["1a2b3c4d"]
    with held(store):
        assert keeper.writers() == ()


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
    keeper = Keeper(recorder, change)
    hand_over(keeper)
    assert keeper.close(PATIENCE_S) == 0
    assert recorder.asked == ["begin", "assign", *(document.key for document in asked.documents), "finish"]


def test_an_unexpected_fault_is_told_at_the_next_call_and_nothing_is_called_saved(store: Path, change: Change) -> None:
    recorder = Watched(store)
    recorder.fault = ZeroDivisionError("no such luck")
    keeper = Keeper(recorder, change)
    keeper.begin(run())
    change.until(lambda: "no such luck" in keeper.trouble)
    with pytest.raises(RuntimeError, match="no longer be stored") as caught:
        keeper.record("run1", asked, chunks()[0])
    assert caught.value.__cause__ is recorder.fault
    keeper.close(PATIENCE_S)


def test_outcomes_go_to_every_board_of_their_game_before_they_are_written(store: Path, keeper: Keeper) -> None:
    small = assignment(documents([0]), asked.coalitions)
    boards = Board(asked, players_of(KINDS)), Board(small, players_of(KINDS))
    keeper.boards = boards
    with held(store):
        hand_over(keeper)
        for board, size in zip(boards, (4, 1), strict=True):
            intact = board.charts(2).intact
            assert intact is not None
            assert intact.n == size
        assert keeper.stored(small) == {"doc-0": frozenset(asked.coalitions)}


def test_what_no_board_knows_is_asked_of_the_store(store: Path, keeper: Keeper) -> None:
    keep(store, asked, chunks()[0], run_id="earlier")
    assert keeper.stored(asked) == {"doc-0": frozenset(asked.coalitions)}
    keeper.boards = (Board(assignment(documents([0]), asked.coalitions), players_of(KINDS)),)
    assert keeper.stored(asked) == {"doc-0": frozenset(asked.coalitions)}


def test_a_new_board_has_what_is_stored_and_what_waits(store: Path, change: Change) -> None:
    """Even where one becomes the other while it is read."""
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
    keeper = Keeper(Slow(store), change)
    keeper.begin(run())
    keeper.assign("run1", asked)
    keeper.record("run1", asked, chunks()[1])
    board = Board(asked, players_of(KINDS))
    keeper.fill(board, asked)
    change.until(lambda: keeper.unsaved == 0)
    keeper.close(PATIENCE_S)
    evaluated = board.evaluated(asked)
    assert [len(evaluated[document.key]) for document in asked.documents] == [len(asked.coalitions)] * 2 + [0, 0]
