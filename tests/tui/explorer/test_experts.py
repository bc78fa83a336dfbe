"""The explorer on a model whose experts are players, at 80x24, against a real evaluator."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from store.results import Results
from store.rows import CoalitionRow
from tests.support.decoder_folder import decoder_folder
from tests.support.explorer import exploring, until
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.session import last_session
from tui.explorer.widgets.layer_grid import LayerGrid

EXPERTS = 64
FIRST = 3
"""The first expert's number: an attention and a mixture in layer 0, an attention in layer 1."""


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    folder = decoder_folder("qwen3_moe", tmp_path / "moe", num_experts=EXPERTS, num_experts_per_tok=8)
    return RunConfig.model_validate({"model": str(folder), "tasks": "agreement", "limit": 4, "expert_layers": "1-2"})


async def test_experts_are_moved_over_removed_and_evaluated(config: RunConfig, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    async with exploring(store, config) as (app, pilot):
        await pilot.resize_terminal(80, 24)
        assert len(app.state.players) == 8 - 2 + 2 * EXPERTS
        grid = app.screen.query_one(LayerGrid)
        await pilot.press("right", "down", "right", "down")
        labels = [app.state.players[number].label for number in (grid.cursor, *grid.selection)]
        assert labels == ["Expert 1.5", "Expert 1.5"]
        x, y = grid._layout.place(*grid._slots.cells[grid.cursor])
        assert 0 <= x < 76
        assert y < grid.content_size.height
        await pilot.press("space")
        assert app.state.removed == (FIRST + 5,)
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        assert app.state.shown_score is not None
        point = app.state.shown_score.point

        await until(pilot, lambda: any(_stored(store)))
        (found,) = _stored(store)
        assert (found.model, found.label, found.n, found.acc) == ("moe+experts:1-2", "Expert 1.5", point.n, point.acc)
        assert last_session(store).config.expert_layers == "1-2"


def _stored(store: Path) -> list[CoalitionRow]:
    """Return the rows of coalitions that lack something; none before the first is stored."""
    try:
        return [row for row in Results(store).coalitions().rows if row.removed]
    except CornerstoneError:
        return []


@pytest.mark.slow
async def test_other_layers_are_chosen_in_the_dialog(config: RunConfig, tmp_path: Path) -> None:
    async with exploring(tmp_path / "s.duckdb", config) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        app.screen.query_one("#experts", Input).value = ""
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(app.state.players) == 8)
        assert app.state.bench is not None
        assert app.state.bench.model.name == "moe"
