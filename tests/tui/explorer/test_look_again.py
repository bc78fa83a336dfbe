"""Screens that are open when a job ends read the store again, and stay where they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Tabs

from core.coalitions.schedules import ablation, windows
from tests.support import example_state as example
from tests.support.screen_host import drawn, falling, settled
from tests.support.store_records import PLAYERS, assignment, documents, keep, outcome
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.job_end import has_written
from tui.explorer.screens.results import ResultsScreen
from tui.explorer.state import State

RUNNING = State(jobs=(example.job(),))
ENDED = State(jobs=(example.job(state="finished"),))


def _keep(store: Path, longest: int) -> None:
    sets = ablation(PLAYERS) if longest == 1 else windows(PLAYERS, longest)
    docs = documents(range(6))
    rows = [outcome(f"doc-{at}", removed, falling(at, removed)) for removed in sets for at in range(6)]
    keep(store, assignment(docs, sets), rows)


def test_a_job_has_written_once_nothing_waits_for_the_store() -> None:
    assert has_written(RUNNING, ENDED)
    assert not has_written(RUNNING, replace(ENDED, unsaved=3))
    assert has_written(replace(ENDED, unsaved=3), ENDED)
    assert not has_written(replace(RUNNING, unsaved=3), RUNNING), "a sweep would read at each chunk"
    assert not has_written(ENDED, ENDED)


@pytest.mark.asyncio
async def test_rows_of_a_job_come_and_the_cursor_stays_on_its_own(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    _keep(store, 1)
    app = Still(store, RUNNING)
    async with app.run_test(size=(120, 35)) as pilot:
        await settled(pilot, "b", "s", "down", "down")
        line = _results(pilot).shown.line
        assert line is not None
        _keep(store, 2)
        app.state = ENDED
        await settled(pilot)
        assert "12 rows" in drawn(pilot)
        now = _results(pilot).shown.line
        assert now is not None
        assert now.row.removed == line.row.removed
        assert _results(pilot).shown.order is not None


@pytest.mark.asyncio
async def test_rows_stay_where_the_store_cannot_be_read_again(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    _keep(store, 1)
    app = Still(store, RUNNING)
    async with app.run_test(size=(120, 35)) as pilot:
        await settled(pilot, "b")
        before = drawn(pilot)
        store.rename(tmp_path / "away.duckdb")
        app.state = ENDED
        await settled(pilot)
        assert "7 rows" in before
        assert "7 rows" in drawn(pilot)
        await settled(pilot, "f5")
        assert "7 rows" not in drawn(pilot)


@pytest.mark.asyncio
async def test_the_view_of_a_comparison_is_read_again_too(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    _keep(store, 1)
    app = Still(store, RUNNING)
    async with app.run_test(size=(120, 35)) as pilot:
        await settled(pilot, "v")
        before = pilot.app.screen.query_one(Tabs).active
        keep(store, assignment(documents(range(6, 9)), [()]), [outcome(f"doc-{at}", (), 1.0) for at in range(6, 9)])
        app.state = ENDED
        await settled(pilot)
        assert "n 9" in drawn(pilot)
        assert pilot.app.screen.query_one(Tabs).active == before


def _results(pilot: Pilot[None]) -> ResultsScreen:
    assert isinstance(pilot.app.screen, ResultsScreen)
    return pilot.app.screen
