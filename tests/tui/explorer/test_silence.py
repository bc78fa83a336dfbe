"""An explorer whose evaluator is stopped says so, waits for it, and can start another in its place."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator import client
from tests.support.evaluator_process import Evaluator, talk
from tests.support.explorer import exploring, until
from tui.explorer.app import Explorer
from tui.explorer.screens.silence import SilenceDialog
from tui.explorer.session import Session


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return RunConfig(model=str(tiny_model_folder), tasks=("agreement",), limit=4)  # type: ignore[arg-type]


@pytest.fixture
async def stopped(store: Path) -> AsyncIterator[Evaluator]:
    """An evaluator that was stopped."""
    evaluator = Evaluator(store)
    try:
        async with talk(store, evaluator):
            pass
        evaluator.signal(signal.SIGSTOP)
        yield evaluator
    finally:
        evaluator.signal(signal.SIGCONT)
        await client.stop(store)
        evaluator.end()


@pytest.mark.slow
async def test_a_new_explorer_says_that_the_evaluator_is_stopped_and_waits(
    store: Path, config: RunConfig, stopped: Evaluator
) -> None:
    app = Explorer(store, Session(config=config))
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, SilenceDialog))
        assert app.state.silence is not None
        assert app.state.silence.pid == stopped.pid
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(app.screen, SilenceDialog))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, SilenceDialog))
        stopped.signal(signal.SIGCONT)
        await until(pilot, lambda: app.state.connection == "connected")
        await until(pilot, lambda: not isinstance(app.screen, SilenceDialog))
        assert app.state.silence is None
        assert stopped.runs()


@pytest.mark.slow
async def test_a_new_explorer_starts_another_evaluator(store: Path, config: RunConfig, stopped: Evaluator) -> None:
    app = Explorer(store, Session(config=config))
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, SilenceDialog))
        await pilot.press("y")
        await until(pilot, lambda: app.state.bench is not None and not app.state.stored)
        assert not stopped.runs()


@pytest.mark.slow
async def test_an_explorer_whose_evaluator_is_stopped_later_says_so_and_starts_another(
    store: Path, config: RunConfig
) -> None:
    async with exploring(store, config) as (app, pilot):
        first = await _stop(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.state.connection == "connected" and app.state.silence is None)
        await until(pilot, lambda: app.state.bench is not None and not app.state.stored)
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)


@pytest.mark.slow
async def test_an_explorer_goes_on_when_its_evaluator_does(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        os.kill(await _stop(app, pilot), signal.SIGCONT)
        await until(pilot, lambda: not isinstance(app.screen, SilenceDialog))
        assert app.state.silence is None
        await pilot.press("space")
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)


async def test_to_end_a_stopped_evaluator_is_refused_in_words(store: Path, stopped: Evaluator) -> None:
    with pytest.raises(CornerstoneError, match=rf"process {stopped.pid}\) is stopped and does not answer"):
        await client.stop(store)


async def _stop(app: Explorer, pilot: Pilot[None]) -> int:
    """Stop the evaluator, wait until the explorer says so, and return its process."""
    assert app._line is not None
    pid = app._line.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await until(pilot, lambda: isinstance(app.screen, SilenceDialog))
    return pid
