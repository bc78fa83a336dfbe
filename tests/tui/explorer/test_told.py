"""What the explorer says in passing: refusals, each time they come, and which key leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evaluator.protocol import Refusal
from tests.support import example_state as example
from tests.support.screen_host import fill, settled
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.state import State

pytestmark = pytest.mark.asyncio


def told(app: Still) -> list[str]:
    return [str(note.message) for note in app._notifications]


async def test_a_refusal_is_told_each_time(tmp_path: Path) -> None:
    app = Still(tmp_path / "s.duckdb", example.state())
    async with app.run_test() as pilot:
        await settled(pilot)
        for _ in range(2):
            app._take(Refusal(text="the store is in use"))
            await settled(pilot)
        assert told(app) == ["the store is in use"] * 2
        for _ in range(2):  # the trouble is over
            app._take(Refusal(text=""))
            await settled(pilot)
        assert len(told(app)) == 2


async def test_ctrl_c_names_the_key_of_the_footer_that_leaves(tmp_path: Path) -> None:
    fill(tmp_path / "s.duckdb")
    app = Still(tmp_path / "s.duckdb", State())
    async with app.run_test() as pilot:
        await settled(pilot, "ctrl+c")
        assert told(app)[-1].startswith("q leaves the explorer")
        await settled(pilot, "b", "ctrl+c")
        assert told(app)[-1].startswith("^q leaves the explorer"), "q goes back there"
