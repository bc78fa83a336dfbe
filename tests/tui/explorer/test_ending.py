"""Ending the evaluator: asked first where that would end a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from core.config.run_config import RunConfig
from core.evaluator.protocol import StartJob
from tests.support.evaluator_process import config_of
from tests.support.explorer import exploring, until
from tui.explorer.screens.confirm import ConfirmDialog

pytestmark = pytest.mark.asyncio


async def test_a_job_is_ended_only_if_the_user_agrees(tiny_model_folder: Path, tmp_path: Path) -> None:
    config: RunConfig = config_of(tiny_model_folder, "agreement", "capitals", limit=None)
    work = config.model_copy(update={"schedule": ("windows",), "max_removed": 8})
    async with exploring(tmp_path / "s.duckdb", config) as (app, pilot):
        app.ask(StartJob(config=work, command="test"))
        await until(pilot, lambda: app.state.current_job is not None and app.state.current_job.state == "running")
        await pilot.press("p")  # so that it does not end by itself meanwhile
        await until(pilot, lambda: app.state.current_job is not None and app.state.current_job.state == "paused")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "End the evaluator, for every explorer of this store?" in str(app.screen.query_one(Static).content)
        await pilot.press("escape")
        await pilot.pause(0.5)
        assert app.state.connection == "connected"
        assert app.state.current_job is not None
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: app.state.connection == "lost")
        assert "has ended" in app.state.notice
