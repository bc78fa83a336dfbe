"""What holds on every screen: the first line, the last line, how things are found, and how they are copied."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.support import example_state as example
from tests.support.explorer import until
from tests.support.screen_host import drawn, fill, settled
from tests.tui.explorer.test_bursts import burst
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.state import State
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.status_bar import StatusBar

pytestmark = pytest.mark.asyncio

QUERY = "=SELECT document, prompt FROM documents"
SCREENS: dict[str, tuple[str, ...]] = {
    "home": (),
    "jobs": ("j",),
    "results": ("b",),
    "documents": ("b", "a", "down", "enter"),
    "compare": ("v",),
    "sql": ("colon",),
    "say": ("w",),
}
ROWS = {
    "jobs": ("failed", "1 of 2 rows"),
    "results": ("attn 1", "9 of 19 rows"),
    "documents": ("question 2", "1 document with 'question 2'"),
    "compare": ("capitals", "1 row"),
    "sql": ("question 3", "1 of 6 rows"),
}
"""What is looked for on each screen with rows, and what is said of those that are found."""

FAILED = example.job(job=2, state="failed", error="out of memory", title="ablation on capitals")
STATE = example.state(jobs=(example.job(), FAILED))


@asynccontextmanager
async def on(
    screen: str, tmp_path: Path, state: State = STATE, size: tuple[int, int] = (120, 30)
) -> AsyncIterator[Pilot[None]]:
    """Open a screen of an explorer that has a store and a state, but no evaluator."""
    path = tmp_path / "s.duckdb"
    fill(path)
    async with Still(path, state).run_test(size=size) as pilot:
        await pilot.pause()
        await settled(pilot, *SCREENS[screen])
        yield pilot


@pytest.mark.parametrize("screen", SCREENS)
async def test_model_task_and_job_stand_in_the_same_place(screen: str, tmp_path: Path) -> None:
    async with on(screen, tmp_path) as pilot:
        (line,) = pilot.app.screen.query(StatusBar)
        assert (line.region.x, line.region.y, line.region.size) == (0, 0, (120, 1))
        first, *_, last = drawn(pilot).splitlines()
        for said in ("SmolLM2-135M-Instruct", "agreement", "41% 02:10 left"):
            assert said in first
        assert last.endswith(("? help", "f1 help"))
        assert last[0] != " ", "the keys begin in the first column"


@pytest.mark.parametrize("screen", ROWS)
async def test_a_slash_and_a_text_leave_the_rows_that_have_it_also_in_one_burst(screen: str, tmp_path: Path) -> None:
    wanted, said = ROWS[screen]
    async with on(screen, tmp_path) as pilot:
        if screen == "sql":
            await burst(pilot, QUERY, "enter")
            await settled(pilot, "escape")
        await burst(pilot, f"=/{wanted}", "enter")
        await until(pilot, lambda: said in drawn(pilot))
        await settled(pilot, "slash", "escape")
        await pilot.pause(0.2)
        assert pilot.app.screen.query_one(FilterInput).value == ""


@pytest.mark.parametrize("screen", ROWS)
async def test_cell_row_and_command_are_copied(screen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with on(screen, tmp_path) as pilot:
        if screen == "sql":
            await burst(pilot, QUERY, "enter")
            await settled(pilot, "escape")
        copied = []
        for key in ("y", "Y", "c"):
            pilot.app.copy_to_clipboard("")
            await settled(pilot, key)
            copied.append(pilot.app.clipboard)
        cell, row, command = copied
        assert cell
        assert cell in row
        assert "\t" in row
        assert command.startswith("cornerstone ") or screen in {"documents", "compare"}


async def test_the_texts_of_jobs_are_searched_and_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with on("jobs", tmp_path) as pilot:
        await settled(pilot, "down", "tab")
        await burst(pilot, "=/memory", "enter")
        assert pilot.app.screen.query_one("#detail").found == (1, 1)  # type: ignore[attr-defined]
        await settled(pilot, "y")
        assert "out of memory" in pilot.app.clipboard


async def test_the_paper_which_is_text_alone_is_searched(tmp_path: Path) -> None:
    async with on("compare", tmp_path) as pilot:
        await settled(pilot, "t")
        await settled(pilot)
        await burst(pilot, "=/layer", "enter", "n")
        at, many = pilot.app.screen.query_one("#drawing").found  # type: ignore[attr-defined]
        assert (at, many > 2) == (2, True)


async def test_help_is_searched(tmp_path: Path) -> None:
    async with on("home", tmp_path) as pilot:
        await burst(pilot, "?", "=/undo", "enter", "n")
        at, many = pilot.app.screen.query_one("#help").found  # type: ignore[attr-defined]
        assert (at, many) == (2, 2)
        await settled(pilot, "escape")
        assert len(pilot.app.screen_stack) == 2
