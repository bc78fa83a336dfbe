"""The SQL screen: a query's rows below it, filtered, sorted, copied and exported as those of other tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from tests.support.explorer import until
from tests.support.screen_host import drawn, hosted, settled, typed
from tests.tui.explorer.test_bursts import burst
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.sql import SqlScreen
from tui.explorer.sql_history import past_queries, remember_query
from tui.explorer.widgets.query_box import QueryBox
from tui.explorer.widgets.result_table import ResultTable

pytestmark = pytest.mark.asyncio

QUERY = "SELECT removed, avg(acc) AS mean FROM outcomes JOIN coalitions USING (coalition) GROUP BY 1 ORDER BY 1"


def box(pilot: Pilot[None]) -> QueryBox:
    return pilot.app.screen.query_one(QueryBox)


async def ask(pilot: Pilot[None], query: str) -> str:
    """Write a query in place of the one that is there, run it, and return the screen."""
    box(pilot).focus()
    box(pilot).load_text(query)
    await settled(pilot, "enter")
    return drawn(pilot)


async def test_rows_are_filtered_sorted_copied_and_exported(full: tuple[Path, object], tmp_path: Path) -> None:
    path, _ = full
    async with hosted(lambda: SqlScreen(path), (80, 24)) as pilot:
        assert "The tables of the store" in drawn(pilot)
        text = await ask(pilot, QUERY)
        assert "19 rows" in text
        assert isinstance(pilot.app.focused, QueryBox)  # nothing that is typed meanwhile goes elsewhere
        await settled(pilot, "escape", "slash")
        await typed(pilot, "mean < .5")
        await settled(pilot, "enter", "right", "s")
        assert "4 of 19 rows pass the filter" in drawn(pilot)
        await settled(pilot, "y")
        assert pilot.app.clipboard == "0.333333"
        await settled(pilot, "Y")
        assert pilot.app.clipboard == "[0]\t0.333333"
        await settled(pilot, "c")
        assert pilot.app.clipboard == f"cornerstone results sql --store {path} '{QUERY}'"
        await settled(pilot, "e")
        assert isinstance(pilot.app.screen, ExportDialog)
        assert "as shown: 4 of 19 rows, filtered and sorted" in drawn(pilot)
        await burst(pilot, "ctrl+a", "ctrl+k", f"={tmp_path}/x.md", "ctrl+s")
        lines = (tmp_path / "x.md").read_text().splitlines()
        assert lines[0] == "| removed | mean |"
        assert len(lines) == 6
        await settled(pilot, "escape", "escape")
        assert not isinstance(pilot.app.screen, SqlScreen)


@pytest.mark.slow
async def test_mistakes_show_their_place_and_leave_the_query(full: tuple[Path, object]) -> None:
    path, _ = full
    async with hosted(lambda: SqlScreen(path), (100, 30)) as pilot:
        text = await ask(pilot, "SELECT typo FROM runs")
        assert 'Referenced column "typo" not found' in text
        assert "               ^^^^" in text
        assert box(pilot).text == "SELECT typo FROM runs"
        assert "only queries are run here" in await ask(pilot, "DROP TABLE outcomes")
        assert "no row: the query found nothing (columns: run)" in await ask(
            pilot, "SELECT run FROM runs WHERE run = 'none'"
        )
        assert "[red]x[/] [2J" in await ask(pilot, "SELECT '[red]x[/]' || chr(27) || '[2J' AS \"[bold]\"")
        box(pilot).load_text("SELECT 1 \x1b[2J")
        box(pilot).focus()
        pilot.app.post_message(Paste("\x1b]0;x\x07"))
        await settled(pilot)
        assert " ]0;x SELECT 1  [2J" in drawn(pilot)
        assert "\x1b" not in drawn(pilot)


async def test_no_store_yet_is_a_sentence(tmp_path: Path) -> None:
    async with hosted(lambda: SqlScreen(tmp_path / "none.duckdb"), (160, 30)) as pilot:
        assert "no results at" in await ask(pilot, "SELECT 1")
        await settled(pilot, "escape")
        assert not isinstance(pilot.app.screen, SqlScreen)


async def test_a_query_that_runs_can_be_ended(full: tuple[Path, object]) -> None:
    path, _ = full
    async with hosted(lambda: SqlScreen(path), (80, 24)) as pilot:
        box(pilot).load_text("SELECT count(*) FROM range(1000000000000)")
        await pilot.press("enter")
        await until(pilot, lambda: "running" in drawn(pilot))
        await settled(pilot, "ctrl+s")
        assert "the query was stopped" in drawn(pilot)


async def test_words_are_completed_one_after_the_other(full: tuple[Path, object]) -> None:
    path, _ = full
    async with hosted(lambda: SqlScreen(path), (80, 24)) as pilot:
        await burst(pilot, "=SELECT ac", "tab")
        assert box(pilot).text == "SELECT acc"
        assert "[acc]  acc_norm" in drawn(pilot)
        await settled(pilot, "tab")
        assert box(pilot).text == "SELECT acc_norm"
        await settled(pilot, "tab")
        assert box(pilot).text == "SELECT acc"
        await burst(pilot, "= FROM outc", "tab", "=, coal", "tab")
        assert box(pilot).text == "SELECT acc FROM outcomes, coalitions"


async def test_earlier_queries_come_back_also_after_a_restart(full: tuple[Path, object]) -> None:
    path, _ = full
    remember_query("SELECT 'one'")
    async with hosted(lambda: SqlScreen(path), (80, 24)) as pilot:
        await burst(pilot, "=SELECT 2", "enter")
        await settled(pilot)
        await burst(pilot, "up", "up", "up")
        assert box(pilot).text == "SELECT 'one'"
        await burst(pilot, "down", "down", "down")
        assert isinstance(pilot.app.focused, ResultTable)
        assert box(pilot).text == "SELECT 2"
        await burst(pilot, "=:", "ctrl+j", "=3")
        assert box(pilot).text == "SELECT 2\n3"
    assert past_queries() == ("SELECT 'one'", "SELECT 2")


async def test_a_burst_runs_what_was_typed(full: tuple[Path, object]) -> None:
    path, _ = full
    async with hosted(lambda: SqlScreen(path), (80, 24)) as pilot:
        await burst(pilot, "=SELECT 41 + 1 AS found", "enter")
        await settled(pilot)
        assert "42" in drawn(pilot)
        assert past_queries() == ("SELECT 41 + 1 AS found",)
        await burst(pilot, "escape", "=/43", "enter")
        assert "0 of 1 row pass the filter" in drawn(pilot)
