"""A rolling task is browsed and drawn by its bits per byte, and every place says that lower is better."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.results import Results
from tests.support.explorer import until
from tests.support.rolling_store import rolling_store
from tests.support.screen_host import drawn, hosted, rows_of, settled
from tests.support.store_records import assignment, documents, keep_all
from tests.tui.explorer.test_stored_results import NO_EVALUATOR
from tui.drawing.ablation_chart import ablation_chart
from tui.drawing.ablation_dots import base_of
from tui.explorer.app import Explorer
from tui.explorer.compare.topics import TOPICS
from tui.explorer.compare.view import Asked
from tui.explorer.scope import Scope
from tui.explorer.screens.results import ResultsScreen
from tui.explorer.session import Session

pytestmark = pytest.mark.asyncio


async def test_the_browser_shows_a_rolling_task_by_its_value(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    rolling_store(path)
    (group,) = Results(path).groups().rows
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id)), (160, 40)) as pilot:
        text = drawn(pilot)
        assert "bits_per_byte, lower is better" in text
        alone = {row.label: row for row in Results(path).ablation().rows}
        line = rows_of(text, "Attn 0  ")[0]
        assert f"{alone['Attn 0'].acc:.3f}"[-4:] in line
        for _ in range(3):
            await settled(pilot, "t")
            assert "lower is better" in drawn(pilot)


async def test_the_explorer_says_that_lower_is_better_and_draws_a_drop_upwards(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    config = rolling_store(path)
    app = Explorer(path, Session(config=config), command=NO_EVALUATOR)
    async with app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: app.state.stored and app.state.shown_charts is not None)
        await pilot.pause()
        text = drawn(pilot)
    assert app.state.bench_task is not None
    assert app.state.bench_task.value == "bits_per_byte"
    header, rest = text.split("\n", 1)
    assert "bits_per_byte 1.4" in header
    assert "lower is better" in header
    assert "Ablation: bits_per_byte, lower is better on wikitext" in rest
    charts = app.state.shown_charts
    assert charts is not None
    assert charts.shapley[0].rank == 1, "the first player costs most, so it has the largest share"
    assert all(point.verdict is None for point in charts.shapley)


async def test_the_comparison_of_scores_puts_the_best_first(tmp_path: Path) -> None:
    paths = [tmp_path / "pages.duckdb", tmp_path / "choices.duckdb"]
    rolling_store(paths[0])
    asked = assignment(documents(range(4)), [()])
    keep_all(paths[1], asked, {(): [1.0, 1.0, 0.0, 1.0]})
    falling = [TOPICS["scores"].read(Asked(path)).listing.columns[1].falling for path in paths]
    assert falling == [False, True]


async def test_a_chart_draws_a_removal_on_the_side_of_its_score(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    rolling_store(path)
    rows = Results(path).ablation().rows
    base = base_of(rows, "bits_per_byte")
    for row in rows:
        assert base.without(row.drop) == pytest.approx(row.acc)
    assert "bits_per_byte, lower is better" in ablation_chart(rows)
