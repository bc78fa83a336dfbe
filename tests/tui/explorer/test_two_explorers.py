"""Two explorers on one evaluator: what one looks at is its own, and each is told what the other has done."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from textual.widgets import Input

from core.config.run_config import RunConfig
from core.evaluator import client
from core.evaluator.protocol import Open
from tests.support.explorer import explorer_on, exploring, until
from tui.explorer.app import Explorer
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.session import Session
from tui.explorer.widgets.status_bar import StatusBar


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return RunConfig(model=str(tiny_model_folder), tasks=("agreement", "capitals"))  # type: ignore[arg-type]


def _is_done(app: Explorer) -> bool:
    return app.state.shown_score is not None and app.state.shown_score.final


async def _end_evaluator(store: Path, number: int) -> None:
    line = await client.connect(store)
    assert line is not None
    pid = line.pid
    await line.close()
    assert pid is not None
    os.kill(pid, number)


@pytest.mark.slow
async def test_another_explorers_toggle_leaves_the_number_that_is_shown(store: Path, config: RunConfig) -> None:
    few = config.model_copy(update={"limit": 6})
    async with exploring(store, few) as (one, first), explorer_on(store, Session(config=few)) as (two, second):
        await first.press("right", "space")
        await until(first, lambda: _is_done(one))
        before = one.state.shown_score
        await second.press("space", "t")
        await until(second, lambda: _is_done(two))
        assert one.state.shown_score == before
        await second.press("c")
        await until(second, lambda: two.state.scored is not None and two.state.scored.point.removed == ())
        assert one.state.shown_score == before


@pytest.mark.slow
async def test_a_toggle_that_another_one_replaced_is_evaluated_after_it(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (one, first), explorer_on(store, Session(config=config)) as (two, second):
        await first.press("space")
        await second.press("right", "space")
        await until(second, lambda: _is_done(two))
        await until(first, lambda: _is_done(one))
        assert one.state.removed == (0,)
        assert two.state.removed == (2,)


@pytest.mark.slow
async def test_the_other_explorer_says_who_has_ended_the_evaluator(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (one, first), explorer_on(store, Session(config=config)) as (two, second):
        await second.press("ctrl+e")
        await until(first, lambda: one.state.connection == "lost")
        await until(second, lambda: two.state.connection == "lost")
        assert "another explorer has ended the evaluator" in one.state.notice
        assert two.state.notice == "the evaluator has ended; ctrl+r starts it again"
        await first.pause()
        assert "evaluator ended: ctrl+r restarts" in str(one.screen.query_one(StatusBar).render())
        await first.press("ctrl+r")
        await until(first, lambda: one.state.connection == "connected")
        assert one.state.ended_by is None


@pytest.mark.parametrize(("number", "said"), [(signal.SIGTERM, "by a signal"), (signal.SIGKILL, "evaluator is gone")])
async def test_a_signal_is_told_from_a_sudden_end(store: Path, config: RunConfig, number: int, said: str) -> None:
    async with exploring(store, config) as (app, pilot):
        await _end_evaluator(store, number)
        await until(pilot, lambda: app.state.connection == "lost")
        assert said in app.state.notice


@pytest.mark.slow
async def test_an_evaluator_that_one_starts_again_serves_the_other_too(store: Path, config: RunConfig) -> None:
    few = config.model_copy(update={"limit": 6})
    async with exploring(store, few) as (one, first), explorer_on(store, Session(config=few)) as (two, second):
        await second.press("right", "space")
        await until(second, lambda: _is_done(two))
        await _end_evaluator(store, signal.SIGKILL)
        await until(first, lambda: one.state.connection == two.state.connection == "lost")
        await first.press("ctrl+r")
        await until(first, lambda: one.state.connection == "connected")
        await until(second, lambda: two.state.connection == "connected" and _is_done(two))
        assert two.state.removed == (2,)
        assert not one.state.jobs


@pytest.mark.slow
async def test_who_opens_another_model_is_told_to_the_other(
    store: Path, config: RunConfig, tiny_model_folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "other"
    shutil.copytree(tiny_model_folder, copy)
    (copy / "config.json").write_text(
        (copy / "config.json").read_text().replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 2e-06')
    )
    few = config.model_copy(update={"limit": 6})
    async with exploring(store, few) as (one, first), explorer_on(store, Session(config=few)) as (two, second):
        two.ask(Open(config=few.model_copy(update={"model": str(copy)})))
        said = "another explorer has opened other in place of tiny-llama; m chooses again"
        await until(first, lambda: said in one.told)
        await until(first, lambda: one.state.bench is not None and one.state.bench.model.name == "other")
        await until(second, lambda: two.state.bench is not None and two.state.bench.model.name == "other")
        assert not two.told


@pytest.mark.slow
async def test_who_opens_other_tasks_is_told_to_the_other_and_refusals_are_not(store: Path, config: RunConfig) -> None:
    few = config.model_copy(update={"limit": 6})
    fewer = few.model_copy(update={"tasks": few.tasks[1:]})
    async with exploring(store, few) as (one, first), explorer_on(store, Session(config=few)) as (two, second):
        assert await two.open(few.model_copy(update={"model": "/nowhere"})) is not None
        assert await two.open(fewer) is None
        await until(first, lambda: one.state.bench is not None and len(one.state.bench.tasks) == 1)
        await until(first, lambda: bool(one.told))
        await second.pause()
        assert one.told == ["another explorer has opened capitals in place of agreement; m chooses again"]
        assert not two.told
        assert one.state.notice == two.state.notice == ""


@pytest.mark.slow
async def test_an_explorer_without_a_task_opens_the_dialog_and_nothing_else(store: Path, config: RunConfig) -> None:
    async with exploring(store, config.model_copy(update={"limit": 6})):
        asked = config.model_copy(update={"limit": 7})
        app = Explorer(store, Session(config=asked), start="choose")
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.screen.query("#limit") and app.state.bench is not None)
            assert app.screen.query_one("#limit", Input).value == "7"
            assert app.state.bench is not None
            assert app.state.bench.config.limit == 6
            await pilot.press("ctrl+s")
            await until(pilot, lambda: not isinstance(app.screen, ChooseDialog))
            assert app.state.bench.config.limit == 7
