"""Results of models whose layers have one to four players of any kind: from the store to tables, charts and figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.coalitions.grouping import grouping
from core.coalitions.players import KIND_LABELS, Kinds, players_of
from core.coalitions.schedules import windows
from store.results import Results
from tests.support import example_state as example
from tests.support.open_store import open_for_reading
from tests.support.screen_host import hosted
from tests.support.store_records import assignment, documents, drawn_scores, keep_all, model
from tests.tui.explorer.screens.test_results import drawn
from tui.commands.app import app
from tui.drawing.ablation_chart import ablation_chart
from tui.drawing.interaction_chart import interaction_chart
from tui.drawing.kinds import LOOKS
from tui.explorer.scope import Scope
from tui.explorer.screens.results import ResultsScreen

MODELS: dict[str, Kinds] = {
    "hybrid": example.HYBRID[:12],
    "dense-first": example.DENSE_FIRST[:6],
    "four": example.FOUR[:4],
    "one": (("ssm",),) * 6,
    "experts": (("attn", "ffn"), ("attn", *("expert",) * 9), ("attn", "moe")),
}


_OFTEN = ("hybrid", "four")


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=() if name in _OFTEN else pytest.mark.slow) for name in MODELS]
)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Kinds]]:
    kinds = MODELS[request.param]
    players = players_of(kinds)
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    of_kinds = grouping("kinds", players)
    units = range(len(of_kinds.units))
    together = [of_kinds.removed(tuple(u for u in units if mask >> u & 1)) for mask in range(2 ** len(of_kinds.units))]
    asked = list(dict.fromkeys([*windows(len(players), 3), *together]))
    keep_all(
        path,
        assignment(documents(range(12), choices=2), asked, of_model=replace(model(), kinds=kinds)),
        drawn_scores(asked, 12, intact=0.95, lost=0.1),
    )
    with open_for_reading(path):
        yield path, kinds


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(app, [*map(str, arguments)], terminal_width=200)
    assert done.exit_code == 0, done.exception
    return done


def read(*arguments: str | Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run("results", *arguments, "--format", "csv").stdout)))


def test_rows_name_player_layer_and_kind(stored: tuple[Path, Kinds]) -> None:
    path, kinds = stored
    players = [(str(p.number), p.label, str(p.layer), p.kind) for p in players_of(kinds)]
    for table in ("ablation", "shapley", "cornerstones"):
        more = () if table == "ablation" else ("--max-removed", "3")
        rows = read(table, "--store", path, *more)
        assert {(row["player"], row["label"], row["layer"], row["kind"]) for row in rows} == set(players)
    for row in read("interactions", "--store", path, "--max-removed", "3"):
        assert row["layer"] == players[int(row["first"])][2]
    layers = read("shapley", "--store", path, "--players", "kinds", "--estimator", "exact")
    assert [row["label"] for row in layers] == list(grouping("kinds", players_of(kinds)).labels)
    assert {row["kind"] for row in layers} == {kind for own in kinds for kind in own}


@pytest.mark.parametrize("kind", ["ablation", "shapley", "shares", "interactions"])
def test_figures_are_drawn(stored: tuple[Path, Kinds], tmp_path: Path, kind: str) -> None:
    path, _ = stored
    options = () if kind == "ablation" else ("--max-removed", "3")
    run("figure", kind, "--store", path, *options, "-o", tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def test_charts_as_text_have_the_kinds_that_there_are(stored: tuple[Path, Kinds]) -> None:
    path, kinds = stored
    there = {kind for own in kinds for kind in own}
    chart = ablation_chart(Results(path).ablation().rows)
    for kind in LOOKS:
        assert (f"{LOOKS[kind].letter} {KIND_LABELS[kind]}" in chart.split("\n")[0]) == (kind in there)
    numbers = interaction_chart(Results(path).interactions(max_removed=3).rows).split("\n")[1]
    assert numbers.split() == [str(layer) for layer in range(0, len(kinds), 5)]


@pytest.mark.parametrize("form", ["table", "latex", "markdown", "csv"])
def test_the_paper_report_names_players(stored: tuple[Path, Kinds], form: str) -> None:
    path, kinds = stored
    done = run("paper", "--store", path, "--task", "capitals", "--value", "acc", "--max-removed", "3", "--format", form)
    top = max(read("shapley", "--store", path, "--max-removed", "3"), key=lambda row: float(row["phi"]))
    assert top["label"] in done.stdout
    assert players_of(kinds)


@pytest.mark.slow
async def test_the_browser_shows_them_at_80x24(stored: tuple[Path, Kinds]) -> None:
    path, kinds = stored
    async with hosted(lambda: ResultsScreen(path, Scope()), (80, 24)) as pilot:
        assert players_of(kinds)[0].label in drawn(pilot)
        for _ in range(3):
            await pilot.press("t")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
        assert f"{players_of(kinds)[0].label}, {players_of(kinds)[1].label}" in drawn(pilot)
