"""The evaluator's recorder passes outcomes to live tasks, and knows what waits to be written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.coalitions.players import players_of
from core.coalitions.schedules import windows
from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.live_task import LiveTask
from core.records.records import Outcome
from store.file.database import writing
from store.recorder import StoreRecorder
from tests.support.store_holder import held
from tests.support.store_records import KINDS, PLAYERS, assignment, documents, keep, outcome, run

PATIENCE_S = 240.0

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
def behind(store: Path, change: Change) -> Iterator[LiveRecorder]:
    one = LiveRecorder(StoreRecorder(store, patience=0.2), store, change)
    yield one
    one.close(0)


def hand_over(behind: LiveRecorder) -> int:
    """Hand over a whole run; return how many outcomes it has."""
    behind.begin(run())
    behind.assign("run1", asked)
    for chunk in chunks():
        behind.record("run1", asked, chunk)
    behind.finish("run1", "finished")
    return sum(map(len, chunks()))


def test_outcomes_go_to_every_live_task_of_their_game_before_they_are_written(
    store: Path, behind: LiveRecorder
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


def test_what_no_live_task_knows_is_asked_of_the_store(store: Path, behind: LiveRecorder) -> None:
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
    behind = LiveRecorder(Slow(store), store, change)
    behind.begin(run())
    behind.assign("run1", asked)
    behind.record("run1", asked, chunks()[1])
    live_task = LiveTask(asked, players_of(KINDS))
    behind.fill(live_task, asked)
    change.until(lambda: behind.unsaved == 0)
    behind.close(PATIENCE_S)
    evaluated = live_task.evaluated(asked)
    assert [len(evaluated[document.key]) for document in asked.documents] == [len(asked.coalitions)] * 2 + [0, 0]
