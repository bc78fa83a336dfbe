"""Stored results are shown before a model is loaded and where none can be, as the evaluator shows them later."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.config.run_config import RunConfig
from core.evaluator import client
from core.machine.process import here
from core.records.records import RunRecord
from core.study.listener import SILENT
from store.file.patience import PATIENCE_S
from store.reading.opened import Wanted
from store.recorder import StoreRecorder
from store.study import kept_study
from tests.support.evaluator_process import Evaluator, talk
from tests.support.explorer import until
from tui.explorer.app import Explorer
from tui.explorer.session import Session, last_session
from tui.explorer.state import lost
from tui.explorer.stored_view import read_view

NO_EVALUATOR = [sys.executable, "-c", "import time; time.sleep(120)"]


@pytest.fixture(scope="module")
def config(tiny_model_folder: Path) -> RunConfig:
    return RunConfig(model=str(tiny_model_folder), tasks=("agreement", "capitals"), limit=6, schedule=("windows",))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def store(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "s.duckdb"
    for _event in kept_study(config, "cornerstone run", path, SILENT, PATIENCE_S):
        pass
    return path


async def read(app: Explorer, pilot: Pilot[None]) -> None:
    """Wait until the store is read."""
    await until(pilot, lambda: not any(one.group == "stored" and not one.is_finished for one in app.workers))


def damage(path: Path) -> None:
    """Write over a store."""
    path.write_bytes(b"no store" * 10_000)


@pytest.mark.slow
async def test_the_grid_and_the_charts_are_there_without_an_evaluator(store: Path, config: RunConfig) -> None:
    app = Explorer(store, Session(config=config), command=NO_EVALUATOR)
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.stored)
        assert app.state.connection == "starting"
        charts = app.state.shown_charts
        assert charts is not None
        assert [point.player for point in charts.ablation] == list(range(len(app.state.players)))
        assert charts.shapley
        assert charts.intact is not None
        assert charts.intact.n == 6
        await pilot.press("right", "space")
        await until(pilot, lambda: app.state.shown_score is not None)
        assert app.state.shown_score is not None
        assert app.state.shown_score.final
        await pilot.press("right", "right", "right", "space")
        await pilot.pause()
        assert app.state.shown_score is None
        assert len(app.state.removed) == 2


async def test_they_are_what_the_evaluator_shows_once_the_model_is_open(store: Path, config: RunConfig) -> None:
    evaluator = Evaluator(store)
    app = Explorer(store, Session(config=config), command=NO_EVALUATOR)
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.stored)
        stored, view = app.state, read_view(store, Wanted(config))
        assert view is not None
        await pilot.press("t", "right", "space")
        try:
            async with talk(store, evaluator):
                pass
            await until(pilot, lambda: not app.state.stored and len(app.state.charts) == 2)
            assert app.state.bench is not None
            assert stored.bench is not None
            same = {"device": "", "writers": (), "asked": "", "config": stored.bench.config}
            assert app.state.bench.model_copy(update=same) == stored.bench.model_copy(update={"writers": ()})
            assert app.state.charts == {charts.task: charts for charts in view.charts}
            assert all(app.state.charts[task] == charts for task, charts in stored.charts.items())
            assert app.state.removed == (2,)
            assert app.state.bench_task is not None
            assert app.state.bench_task.name == "capitals"
        finally:
            await client.stop(store)
            evaluator.end()


async def test_a_task_of_which_nothing_is_stored_yet_stays_that_of_the_session(store: Path, config: RunConfig) -> None:
    app = Explorer(store, Session(config=config, task="of another run"), command=NO_EVALUATOR)
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.stored and len(app.state.charts) == 2)
        assert app.state.bench is not None
        assert app.state.task == app.state.bench.tasks[0].key
        assert last_session(store).task == "of another run"
        await pilot.press("t")
        assert app.state.task == app.state.bench.tasks[1].key


@pytest.mark.slow
async def test_a_task_that_is_picked_before_the_model_is_open_takes_the_place_of_the_sessions(
    store: Path, config: RunConfig
) -> None:
    view = read_view(store, Wanted(config))
    assert view is not None
    session = Session(config=config, model_id=view.opened.model_id, task="not stored yet")
    app = Explorer(store, session, command=NO_EVALUATOR)
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.stored and len(app.state.charts) == 2)
        await pilot.press("t")
        evaluator = Evaluator(store)
        try:
            async with talk(store, evaluator):
                pass
            await until(pilot, lambda: not app.state.stored)
            assert app.state.bench_task is not None
            assert app.state.bench_task.name == "capitals"
            assert last_session(store).task == app.state.task
        finally:
            await client.stop(store)
            evaluator.end()


async def test_without_a_session_the_latest_run_is_shown(store: Path, config: RunConfig) -> None:
    quickstart = config.model_copy(update={"model": "smollm2-135m-instruct", "limit": 32})
    app = Explorer(store, Session(config=quickstart), start="latest", command=NO_EVALUATOR)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.state.stored)
        assert app.config.model == config.model
        assert [task.documents for task in app.state.bench.tasks] == [6, 6]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "update", [{"model": "smollm2-135m-instruct"}, {"order": "data"}, {"seed": 7}, {"num_fewshot": 2}]
)
async def test_other_models_and_documents_are_not_shown(
    store: Path, config: RunConfig, update: dict[str, object]
) -> None:
    app = Explorer(store, Session(config=config.model_copy(update=update)), command=NO_EVALUATOR)
    async with app.run_test() as pilot:
        await pilot.pause(0.5)
        await read(app, pilot)
        assert app.state.bench is None


@pytest.mark.parametrize(("limit", "shown"), [(4, 4), (0.05, 6), (9, 6), (None, 6)])
async def test_of_another_number_of_documents_as_many_are_shown_as_are_stored(
    store: Path, config: RunConfig, limit: float | None, shown: int
) -> None:
    app = Explorer(store, Session(config=config.model_copy(update={"limit": limit})), command=NO_EVALUATOR)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.state.stored)
        charts = app.state.shown_charts
        assert charts is not None
        assert charts.intact is not None
        assert charts.intact.n == shown
        assert {point.n for point in charts.ablation} == {shown}
        await pilot.press("space")
        await until(pilot, lambda: app.state.shown_score is not None)
        scored = app.state.shown_score
        assert scored is not None
        assert (scored.point.n, scored.final) == (shown, limit in (shown, 0.05))


async def test_a_store_that_is_not_there_or_damaged_shows_nothing(tmp_path: Path, config: RunConfig) -> None:
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"no store")
    for path in (tmp_path / "none.duckdb", damaged):
        app = Explorer(path, Session(config=config), command=NO_EVALUATOR)
        async with app.run_test() as pilot:
            await read(app, pilot)
            await pilot.pause()
            assert app.state.bench is None


async def test_a_run_of_the_evaluator_is_not_taken_for_one_of_another_program(
    store: Path, config: RunConfig, tmp_path: Path
) -> None:
    path = tmp_path / "sweeping.duckdb"
    shutil.copy(store, path)
    elsewhere = json.dumps({**here(), "host": "another machine"})  # as that of an evaluator: not of this process
    StoreRecorder(path).begin(RunRecord("1a2b3c4d", "cornerstone run", "{}", elsewhere, 0))
    app = Explorer(path, Session(config=config), command=NO_EVALUATOR)
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.stored and len(app.state.charts) == 2)
        assert app.state.connection == "starting"
        assert not app.state.writers, "it may be the evaluator's own, which tells what is not"
        app.state = lost(app.state, "the evaluator is gone")
        await pilot.press("f5")
        await until(pilot, lambda: [one.run_id for one in app.state.writers] == ["1a2b3c4d"])


@pytest.mark.slow
@pytest.mark.parametrize(("spoil", "said"), [(Path.unlink, "no results at"), (damage, "is not a DuckDB file")])
async def test_a_store_that_cannot_be_read_again_is_told(
    store: Path, config: RunConfig, tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    path = tmp_path / "gone.duckdb"
    shutil.copy(store, path)
    app = Explorer(path, Session(config=config), command=NO_EVALUATOR)
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.stored and len(app.state.charts) == 2)
        app.state = lost(app.state, "the evaluator is gone")
        shown = app.state.charts
        spoil(path)
        await pilot.press("f5")
        await until(pilot, lambda: any(said in str(note.message) for note in app._notifications))
        assert app.state.charts == shown


@pytest.mark.slow
async def test_a_stored_coalition_is_shown_after_the_evaluator_ended(store: Path, config: RunConfig) -> None:
    evaluator = Evaluator(store)
    async with talk(store, evaluator):
        pass
    app = Explorer(store, Session(config=config))
    async with app.run_test(size=(120, 35)) as pilot:
        await until(pilot, lambda: app.state.bench is not None and not app.state.stored)
        await client.stop(store)
        evaluator.end()
        await until(pilot, lambda: app.state.connection == "lost")
        await read(app, pilot)
        await pilot.press("right", "space")
        await until(pilot, lambda: app.state.shown_score is not None)
        assert app.state.shown_score is not None
        assert app.state.shown_score.final
        app.state = replace(app.state, removed=(0, 3))
        await pilot.press("f5")
        await read(app, pilot)
        assert app.state.connection == "lost"
