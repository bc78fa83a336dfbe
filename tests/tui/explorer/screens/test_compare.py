"""The compare screen on real runs of two models and two tasks: its numbers are those of the commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Tabs

from core.coalitions.schedules import windows
from core.config.run_config import RunConfig
from core.findings.files import keep, read_findings
from store.results import Results
from store.rows import Selection
from tests.core.findings.test_files import path_finding, path_row
from tests.support import example_state as example
from tests.support.explorer import exploring, until
from tests.support.programs import cornerstone
from tests.support.screen_host import EVERY_WINDOW, drawn, settled
from tests.support.store_records import PLAYERS, assignment, documents, drawn_scores, keep_all, model, task
from tests.tui.explorer.test_bursts import burst
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.compare.topics import TOPICS
from tui.explorer.compare.view import Asked, View
from tui.explorer.screens.compare import CompareScreen
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.pick_side import PickDialog
from tui.explorer.screens.results import ResultsScreen
from tui.explorer.session import last_session
from tui.explorer.state import State
from tui.explorer.widgets.drawing_pane import DrawingPane
from tui.explorer.widgets.result_table import ResultTable
from tui.explorer.widgets.rows_and_drawings import RowsAndDrawings

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def other_model(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model like the tiny one, with other weights and a deeper name."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("models") / "tiny-other"
    shutil.copytree(tiny_model_folder, folder)
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def store(tiny_model_folder: Path, other_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "s.duckdb"
    for folder in (tiny_model_folder, other_model):
        done = cornerstone(
            "run", "--model", folder, "--task", "agreement", "--task", "capitals", "--limit", "12",
            "--schedule", "windows", "--store", path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return path


def view(store: Path, topic: str, **asked: Any) -> View:
    return TOPICS[topic].read(Asked(store, **asked))


def printed(*arguments: str | Path) -> Any:
    done = cornerstone(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_json(rows: Any) -> Any:
    from store.export import render

    return json.loads(render(rows, type(rows[0]), "json"))


@asynccontextmanager
async def comparing(
    store: Path, *, topic: str = "scores", size: tuple[int, int] = (120, 35)
) -> AsyncIterator[Pilot[None]]:
    """Open the compare screen of an explorer without an evaluator, on a tab."""
    async with Still(store, State()).run_test(size=size) as pilot:
        await settled(pilot, "v")
        pilot.app.screen.query_one(Tabs).active = topic
        await settled(pilot)
        await settled(pilot)
        yield pilot


@pytest.mark.slow
async def test_tables_are_those_that_the_commands_print(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for topic, name in (("scores", "scores"), ("pairs", "pairs")):
        export = view(store, topic).export
        assert export is not None
        assert as_json(export.rows) == printed("results", name, "--store", store)
    paper = view(store, "paper")
    assert paper.export is not None
    numbers = printed("paper", "--store", store)["numbers"]
    assert as_json(paper.export.rows) == [row for row in numbers if row["table"] != "estimators"]
    text = cornerstone("paper", "--store", store).stdout
    assert paper.more is not None
    assert paper.draw(None, 0, 100, 40).rstrip() in text
    assert paper.more(None, 0, 100, 40).rstrip() in text
    one = Results(store).groups().rows[0].model_id
    named = view(store, "estimators", model_id=one).draw(None, 0, 100, 40)
    assert named.rstrip() in cornerstone("paper", "--store", store, "--model", one).stdout


async def test_shares_are_those_of_the_two_sides(store: Path) -> None:
    groups = Results(store).groups().rows
    one, other = groups[0], groups[3]
    found = view(store, "shares", one=f"{one.model_id} {one.task_id}", other=f"{other.model_id} {other.task_id}")
    assert found.export is not None
    rows = printed("results", "shapley", "--estimator", "window-first", "--store", store)
    by_side = {(row["model_id"], row["task_id"], row["label"]): row for row in rows}
    assert len(found.export.rows) == 8
    for row in found.export.rows:
        here, there = (by_side[each.model_id, each.task_id, row.label] for each in (one, other))
        assert (row.share, row.share_low, row.share_high, row.rank) == (
            here["share"], here["share_low"], here["share_high"], here["rank"]
        )  # fmt: skip
        assert (row.other_share, row.other_phi, row.other_n) == (there["share"], there["phi"], there["n"])


async def test_where_only_shorter_windows_are_stored_the_shares_name_the_run_that_fills_them(tmp_path: Path) -> None:
    path, sets = tmp_path / "s.duckdb", windows(PLAYERS, 2)
    for name in ("capitals", "other"):
        keep_all(path, assignment(documents(range(4)), sets, of_task=task(name)), drawn_scores(sets, 4, intact=0.8))
    found = view(path, "shares")
    assert found.is_empty
    assert "partial, from windows of up to 2" in found.nothing
    assert "the same name" not in found.nothing
    assert found.fill is not None
    assert found.fill.schedule == ("windows",)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_each_view_is_drawn(store: Path, size: tuple[int, int]) -> None:
    keep(store, path_finding((path_row(), path_row(1), path_row(2)), complete=False))
    expected = {
        "scores": ("agreement (acc, chance .500)", "tiny-other", "Figure 2"),
        "paper": ("Investigating Layer Importance",),
        "shares": ("x: tiny-", "Spearman of phi" if size[0] > 100 else "equal"),
        "pairs": ("both right", "difference"),
        "estimators": ("no exact values are stored",),
        "proxies": ("r measures those",),
        "path": ("FFN 1", "step 2 of 2"),
    }
    async with comparing(store, size=size) as pilot:
        for topic, texts in expected.items():
            await settled(pilot)
            found = drawn(pilot)
            for text in texts:
                assert text in found, (topic, found)
            await settled(pilot, "t")


@pytest.mark.slow
async def test_hostile_names_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    for at, name in enumerate(("[red]one[/]", "\x1b]0;x\x07[/]two[@click=app.quit]")):
        for task_name in ("[b]capitals", "rivers[/]"):
            asked = assignment(documents(range(8)), EVERY_WINDOW, of_model=model(name), of_task=task(task_name))
            acc = drawn_scores(EVERY_WINDOW, 8, at, intact=0.9, lost=0.2)
            keep_all(path, asked, acc, run_id=f"{at} {task_name}")
    keep(path, path_finding((replace(path_row(), model="[/]p"), path_row(1))))
    async with comparing(path) as pilot:
        for topic in TOPICS:
            await settled(pilot)
            text = drawn(pilot)
            assert "\x1b" not in text
            if topic in {"scores", "paper", "pairs"}:
                assert "[red]one[/]" in text, (topic, text)
            await settled(pilot, "x")
            if isinstance(pilot.app.screen, PickDialog):
                await settled(pilot, "escape")
            await settled(pilot, "t")
        pilot.app.screen.query_one(Tabs).active = "pairs"
        await settled(pilot, "enter")
        assert isinstance(pilot.app.screen, DocumentsScreen)
        assert "beside [red]one[/]" in drawn(pilot)


@pytest.mark.slow
async def test_an_empty_store_says_what_to_press(tmp_path: Path) -> None:
    async with comparing(tmp_path / "none.duckdb") as pilot:
        for _ in TOPICS:
            assert pilot.app.screen.query_one("#sentence").display
            assert "r" in drawn(pilot)
            await settled(pilot, "t")
        await settled(pilot, "x", "o", "z", "e", "r", "enter", "slash", "s", "y")
        assert isinstance(pilot.app.screen, CompareScreen)


@pytest.mark.slow
async def test_a_cell_leads_to_its_ablation_and_back(store: Path) -> None:
    async with comparing(store) as pilot:
        await settled(pilot, "right", "right", "down", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, ResultsScreen)
        assert "capitals" in drawn(pilot)
        await settled(pilot, "q")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert pilot.app.screen.query_one(ResultTable).cursor_row == 1


@pytest.mark.slow
async def test_a_pair_leads_to_the_documents_of_both(store: Path) -> None:
    row = Results(store).pairs().rows[0]
    async with comparing(store, topic="pairs") as pilot:
        await settled(pilot, "enter")
        assert isinstance(pilot.app.screen, DocumentsScreen)
        assert f"{row.model} beside {row.other}   {row.changed} of {row.n} answers differ" in drawn(pilot)
        assert row.other in drawn(pilot)
        assert "intact" not in drawn(pilot)


@pytest.mark.slow
async def test_a_player_leads_to_its_documents_on_the_side_of_the_column(store: Path) -> None:
    async with comparing(store, topic="shares") as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, CompareScreen)
        await settled(pilot, "end", "right", "right", "right", "right", "enter")
        documents = pilot.app.screen
        assert isinstance(documents, DocumentsScreen)
        found = screen._views["shares"]
        assert isinstance(found, View)
        assert found.export is not None
        row = found.export.rows[-1]
        assert f"{row.label} removed" in drawn(pilot)
        assert row.other_task in drawn(pilot)


@pytest.mark.slow
async def test_sides_are_found_by_typing_also_in_one_burst(store: Path) -> None:
    async with comparing(store, topic="shares") as pilot:
        await burst(pilot, "x", "=tiny-llama capit", "enter")
        await settled(pilot)
        assert "x: tiny-llama · capitals" in drawn(pilot)
        await burst(pilot, "o", "=tiny-other capit", "ctrl+s")
        await settled(pilot)
        assert "y: tiny-other · capitals" in drawn(pilot)
        await settled(pilot, "x")
        assert isinstance(pilot.app.screen, PickDialog)
        await burst(pilot, "=nothing", "enter", "escape")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert "x: tiny-llama · capitals" in drawn(pilot)


async def test_a_dialog_lists_what_is_found_and_arrows_choose(store: Path) -> None:
    async with comparing(store, topic="shares") as pilot:
        await settled(pilot, "x")
        await burst(pilot, "=other", "down", "enter")
        await settled(pilot)
        assert "x: tiny-other · capitals" in drawn(pilot)
        await settled(pilot, "x")
        assert pilot.app.screen.query_one(OptionList).option_count == 4


async def test_rows_are_filtered_sorted_and_zoomed(store: Path) -> None:
    async with comparing(store, topic="shares", size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await burst(pilot, "=/attn")
        await pilot.pause(0.2)
        await settled(pilot)
        assert "4 of 8 rows" in drawn(pilot)
        await settled(pilot, "enter", "z")
        assert not screen.query_one(ResultTable).display
        assert screen.query_one("#drawing", DrawingPane).display
        await settled(pilot, "z")
        assert screen.query_one(ResultTable).display
        assert not screen.query_one("#drawing", DrawingPane).display
        await settled(pilot, "z", "s")
        assert "↑" in drawn(pilot) or "↓" in drawn(pilot)


async def test_it_comes_back_as_it_was_left_also_in_the_next_explorer(store: Path) -> None:
    async with comparing(store, topic="shares") as pilot:
        await burst(pilot, "x", "=tiny-other capit", "enter")
        await burst(pilot, "=/attn", "enter", "down", "right", "s", "z", "z")
        await settled(pilot, "escape", "v")
        await settled(pilot)
        left = drawn(pilot)
        assert "4 of 8 rows pass the filter" in left
        assert "x: tiny-other · capitals" in left
        await settled(pilot, "down", "escape")
    again = Still(store, State())
    again._session = last_session(store)
    async with again.run_test(size=(120, 35)) as pilot:
        await settled(pilot, "v")
        await settled(pilot, "up")
        assert drawn(pilot) == left
        screen = pilot.app.screen
        assert isinstance(screen, CompareScreen)
        assert (screen.table.cursor_row, screen.table.cursor_column) == (0, 1)
        assert screen.query_one(RowsAndDrawings).zoom == 2
        assert not screen.query_one("#drawing").display


async def test_rows_are_exported_also_in_one_burst(store: Path, tmp_path: Path) -> None:
    async with comparing(store, topic="pairs") as pilot:
        await burst(pilot, "e", "ctrl+a", "ctrl+k", f"={tmp_path}/p.json", "ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ExportDialog)
    assert json.loads((tmp_path / "p.json").read_text()) == printed("results", "pairs", "--store", store)


async def test_what_is_filtered_is_written_as_it_is_shown_or_whole(store: Path, tmp_path: Path) -> None:
    async with comparing(store, topic="shares") as pilot:
        await burst(pilot, "slash", "=player ~ attn", "enter")
        await settled(pilot)
        await burst(pilot, "e", "ctrl+a", "ctrl+k", f"={tmp_path}/s.json", "ctrl+s")
        await settled(pilot)
        assert "as shown: 4 of 8 rows, filtered" in drawn(pilot)
        await pilot.click("#rows-all")
        pilot.app.screen.query_one("#path", Input).value = f"{tmp_path}/all.json"
        await burst(pilot, "ctrl+s")
        await settled(pilot)
    assert {row["label"].split()[0] for row in json.loads((tmp_path / "s.json").read_text())} == {"Attn"}
    assert len(json.loads((tmp_path / "all.json").read_text())) == 8


@pytest.mark.slow
async def test_a_step_of_a_path_leads_to_its_documents(store: Path, tmp_path: Path) -> None:
    group = Results(store).groups(Selection(task="capitals")).rows[0]
    rows = tuple(replace(row, model_id=group.model_id) for row in (path_row(), path_row(1), path_row(2)))
    keep(store, path_finding(rows).model_copy(update={"tasks": (group.task_id,)}))
    async with comparing(store, topic="path") as pilot:
        await settled(pilot, "down", "enter")
        assert isinstance(pilot.app.screen, DocumentsScreen)
        assert "FFN 0 removed" in drawn(pilot)


@pytest.mark.slow
async def test_what_needs_the_model_is_asked_of_the_evaluator_also_in_one_burst(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Still, "ask", lambda _self, request: asked.append(request))
    async with Still(store, example.state()).run_test(size=(100, 30)) as pilot:
        await settled(pilot, "v")
        pilot.app.screen.query_one(Tabs).active = "path"
        await settled(pilot)
        await burst(pilot, "r", "ctrl+a", "ctrl+k", "2", "ctrl+s")
        pilot.app.screen.query_one(Tabs).active = "proxies"
        await settled(pilot)
        await burst(pilot, "r", "y")
        await burst(pilot, "r", "escape")
        pilot.app.screen.query_one(Tabs).active = "estimators"
        await settled(pilot)
        await burst(pilot, "r", "y")
    path, proxies, exact = asked
    assert (path.special.type, path.special.steps, path.config.schedule) == ("path", 2, ())
    assert proxies.special.type == "proxies"
    assert proxies.command.startswith("cornerstone proxies --model ")
    assert (exact.special, exact.config.schedule) == (None, ("exact",))


async def test_what_runs_already_is_started_once_more_only_after_a_question(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Still, "ask", lambda _self, request: asked.append(request))
    async with Still(store, example.state()).run_test(size=(100, 30)) as pilot:
        await settled(pilot, "v")
        for topic, keys in (("path", ("r", "ctrl+s")), ("proxies", ("r", "y")), ("estimators", ("r", "y"))):
            pilot.app.screen.query_one(Tabs).active = topic
            await settled(pilot)
            await burst(pilot, *keys)
            first = asked.pop()
            same = example.job(job=7, config=first.config, special=first.special, title=topic)
            pilot.app.state = replace(pilot.app.state, jobs=(same,))  # type: ignore[attr-defined]
            await burst(pilot, *keys)
            assert isinstance(pilot.app.screen, ConfirmDialog), topic
            assert not asked
            await burst(pilot, "y")
            assert asked.pop() == first


@pytest.mark.slow
async def test_a_path_and_proxies_are_searched_as_jobs_and_shown(tiny_model_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "own.duckdb"
    config = RunConfig.model_validate({"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 4})
    async with exploring(store, config) as (app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        app.screen.query_one(Tabs).active = "path"
        await until(pilot, lambda: "no removal path" in drawn(pilot))
        await pilot.press("r", "ctrl+a", "ctrl+k", "2", "ctrl+s")
        await until(pilot, lambda: bool(app.state.jobs) and app.state.jobs[0].state == "finished")
        await until(pilot, lambda: "held out" in drawn(pilot) and "3 rows" in drawn(pilot))
        (found,) = read_findings(store).paths
        assert (found.complete, found.request.steps) == (True, 2)
        assert f"{found.overall[2].label}" in drawn(pilot)
        assert app.state.jobs[0].command.startswith("cornerstone path --model ")

        app.screen.query_one(Tabs).active = "proxies"
        await until(pilot, lambda: "no proxies were measured" in drawn(pilot))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: len(app.state.jobs) == 2 and app.state.jobs[1].state == "finished")
        await until(pilot, lambda: "Proxies of tiny-llama on agreement: 4 documents" in drawn(pilot))
        await until(pilot, lambda: "block infl." in drawn(pilot))


async def test_settings_of_estimators_reach_every_view(store: Path) -> None:
    settings = MappingProxyType({"max_removed": 2})
    found = view(store, "shares", settings=settings)
    assert found.export is not None
    assert {row.max_removed for row in found.export.rows} == {2}
    paper = view(store, "paper", settings=settings).export
    assert paper is not None
    assert {row.max_removed for row in paper.rows if row.table == "table 1"} == {2}
