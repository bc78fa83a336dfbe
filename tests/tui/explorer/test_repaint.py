"""A sweep's counts repaint the widgets that show them, not the screen: a slow line bears a few rows a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget

from core.evaluator.protocol import JobView
from tests.support import example_state as example
from tests.support.screen_host import settled
from tests.tui.explorer.screens.test_explore import home


async def test_a_count_repaints_its_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = example.job(state="running", done=100)
    async with home(tmp_path, example.state(removed=(), jobs=(running,))) as (app, pilot):
        painted: list[tuple[str, Region]] = []
        refresh = Widget.refresh

        def noted(self: Widget, *regions: Region, **how: bool) -> Widget:
            painted.append((type(self).__name__, self.region))
            assert not how.get("layout"), f"{type(self).__name__} has the whole screen laid out"
            return refresh(self, *regions, **how)

        app.state = replace(app.state, jobs=(counted(running, 150),))
        await settled(pilot)
        monkeypatch.setattr(Widget, "refresh", noted)
        monkeypatch.setattr(Screen, "refresh", noted)
        for done in (200, 300, 400):
            app.state = replace(app.state, jobs=(counted(running, done),))
            await settled(pilot)
        assert {name for name, _ in painted} >= {"JobLine"}
        assert all(region.height < pilot.app.size.height // 2 for _, region in painted), painted


def counted(job: JobView, done: int) -> JobView:
    return job.model_copy(update={"done": done})
