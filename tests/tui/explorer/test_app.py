"""Each flow of the explorer, from key to number, against a real evaluator with a tiny random model."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator import client
from core.evaluator.protocol import Hello, Open
from core.machine.process import here
from core.records.records import RunRecord
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tests.support.explorer import explorer_on, exploring, until
from tests.support.screen_host import drawn, rows_of
from tui.drawing.run_text import what_ran
from tui.explorer.app import Explorer
from tui.explorer.look_before import Verdict
from tui.explorer.recent_models import recent_models
from tui.explorer.screens import choose
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.screens.explore import ExploreScreen
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.screens.run import RunDialog
from tui.explorer.session import Session, last_session
from tui.explorer.widgets.ablation_plot import AblationPlot
from tui.explorer.widgets.coalition_panel import CoalitionPanel
from tui.explorer.widgets.status_bar import StatusBar
from tui.explorer.widgets.task_picker import TaskPicker


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return RunConfig(model=str(tiny_model_folder), tasks=("agreement", "capitals"), limit=6)  # type: ignore[arg-type]


@pytest.mark.slow
async def test_a_layer_is_removed_evaluated_and_put_back(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("right", "space")
        assert app.state.removed == (2,)
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        assert app.state.shown_score is not None
        point = app.state.shown_score.point
        await until(pilot, lambda: _outcomes(store) == 12)
        (row,) = [row for row in Results(store).coalitions(Selection(task="agreement")).rows if row.removed == (2,)]
        assert (point.n, point.acc) == (6, row.acc)
        await pilot.press("c")
        assert app.state.removed == ()


@pytest.mark.slow
async def test_what_is_removed_is_evaluated_on_other_documents_and_by_another_evaluator(
    store: Path, config: RunConfig
) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        app.ask(Open(config=config.model_copy(update={"limit": 9})))
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.point.n == 9)
        os.kill(await _pid(store), signal.SIGKILL)
        await until(pilot, lambda: app.state.connection == "lost")
        app.state = replace(app.state, scored=None)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)


@pytest.mark.slow
async def test_what_was_put_back_is_not_evaluated_on(store: Path, config: RunConfig) -> None:
    async with exploring(store, config.model_copy(update={"limit": None})) as (app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: app.state.scored is not None)
        await pilot.press("c")
        intact: tuple[int, ...] = ()
        await until(pilot, lambda: app.state.scored is not None and app.state.scored.point.removed == intact)
        await until(pilot, lambda: app.state.scored is not None and app.state.scored.final)
        assert app.state.scored is not None
        assert app.state.scored.point.removed == intact


@pytest.mark.slow
async def test_what_is_removed_and_the_task_shown_are_there_again_in_the_next_terminal(
    store: Path, config: RunConfig
) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("t", "right", "space")
        async with explorer_on(store, last_session(store)) as (again, second):
            assert (again.state.task, again.state.removed) == (app.state.task, (2,))
            assert again.state.bench_task is not None
            assert again.state.bench_task.name == "capitals"
            await until(second, lambda: again.state.shown_score is not None and again.state.shown_score.final)
            await second.press("c")
        assert last_session(store).removed == ()
        other = last_session(store).model_copy(update={"model_id": "of another model", "removed": (5,)})
        async with explorer_on(store, other) as (elsewhere, _):
            assert elsewhere.state.removed == ()


def stored_tasks(store: Path) -> set[str]:
    """Return the tasks of which anything is stored; none while a run has only begun."""
    try:
        return {row.task for row in Results(store).coalitions().rows}
    except CornerstoneError:
        return set()


@pytest.mark.slow
async def test_the_next_task_is_evaluated_under_the_same_coalition(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("space", "t")
        assert app.state.bench_task is not None
        assert app.state.bench_task.name == "capitals"
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        await until(pilot, lambda: "capitals" in stored_tasks(store))


async def test_a_sweep_fills_the_charts_and_a_toggle_comes_in_between(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        await pilot.press("right", "right")
        app.screen.query_one("#setting-max_removed", Input).value = "2"
        app.screen.query_one("#limit", Input).value = "8"
        await pilot.pause()
        assert "16 coalitions x 8 documents x agreement, capitals" in str(app.screen.query_one("#cost", Static).visual)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(app.state.jobs))
        assert app.state.jobs[0].command.endswith(f" --store {store}")
        await pilot.press("space")
        await until(pilot, lambda: app.state.shown_score is not None)
        await until(pilot, lambda: app.state.jobs and app.state.jobs[-1].state == "finished")
        await until(pilot, lambda: _outcomes(store) == 2 * 8 * 16)
        charts = app.state.shown_charts
        assert charts is not None
        ablation, shapley = _stored(store, "agreement")
        assert [(p.player, p.n, p.acc, p.drop, p.drop_low) for p in charts.ablation] == ablation
        assert [(p.player, p.phi, p.share, p.share_low) for p in charts.shapley] == shapley


@pytest.mark.slow
async def test_a_sweep_of_more_documents_leaves_what_is_removed_those_that_were_chosen(
    store: Path, config: RunConfig
) -> None:
    async with exploring(store, config.model_copy(update={"limit": 6})) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        await pilot.press("right")
        app.screen.query_one("#limit", Input).value = "12"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.state.jobs and app.state.jobs[0].state == "finished")
        await until(pilot, lambda: app.state.shown_charts is not None and app.state.shown_charts.intact is not None)
        said = "has opened 12 documents of agreement, capitals in place of 6; what you remove keeps"
        assert any(said in one for one in app.told), app.told
        await pilot.press("space", "down", "space")
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        # Each number on the screen says of how many documents it is.
        assert "n = 12" in str(app.screen.query_one(StatusBar).render())
        assert "n = 12" in str(app.screen.query_one(AblationPlot).border_subtitle)
        assert re.search(r"drop .* n = 6\b", str(app.screen.query_one(CoalitionPanel).render()))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        assert app.screen.query_one("#limit", Input).value == "6"
        await pilot.press("escape")
        async with explorer_on(store, last_session(store)) as (again, second):
            await until(second, lambda: again.state.shown_score is not None and again.state.shown_score.final)
            assert [task.documents for task in again.state.bench.tasks] == [12, 12]  # type: ignore[union-attr]
            assert again.state.shown_score.point.n == 6  # type: ignore[union-attr]
            assert again.chosen.limit == 6
        await until(pilot, lambda: _outcomes(store) == 2 * 12 * 9 + 6)
        await pilot.press("b")
        await until(pilot, lambda: "Attn 0, FFN 0" in drawn(pilot))
        rows = rows_of(drawn(pilot), "Attn", "FFN")
        assert len(rows) == 9
        for row in rows:
            acc, intact, drop, n = re.match(r".*?  +(\S+) +(\S+) +(\S+) +\S+ to \S+ +(\d+) ", row).groups()  # type: ignore[union-attr]
            assert float(drop) == pytest.approx(float(intact) - float(acc), abs=0.0011)
            assert n == ("6" if row.startswith("Attn 0, FFN 0") else "12")
        (both,) = [row for row in Results(store).coalitions().rows if row.removed == (0, 1)]
        assert (both.n, both.drop) == (6, pytest.approx((both.intact_acc or 0) - (both.acc or 0)))


def _stored(store: Path, task: str) -> tuple[list[object], list[object]]:
    results, selection = Results(store), Selection(task=task)
    shapley = results.shapley(selection, estimator="window-first", max_removed=2).rows
    return (
        [(row.player, row.n, row.acc, row.drop, row.drop_low) for row in results.ablation(selection).rows],
        [(row.player, row.phi, row.share, row.share_low) for row in shapley],
    )


async def test_groups_are_swept_exactly_and_charted_then_walked(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        await pilot.press("right", "right", "right", "down", "right", "enter")
        await until(pilot, lambda: app.state.jobs and app.state.jobs[0].state == "finished")
        await until(pilot, lambda: app.state.shown_charts is not None and app.state.shown_charts.estimator == "exact")
        assert app.state.jobs[0].total == app.state.jobs[0].done == 2 * 6 * 16
        await until(pilot, lambda: _outcomes(store) == 2 * 6 * 16)
        assert app.state.shown_charts is not None
        rows = Results(store).shapley(Selection(task="agreement"), estimator="exact", players="layers").rows
        assert [(p.label, p.phi) for p in app.state.shown_charts.shapley] == [(row.label, row.phi) for row in rows]
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        await pilot.press("left", "down", "right", "enter")
        await until(pilot, lambda: len(app.state.jobs) == 2 and app.state.jobs[1].state == "finished")
        job = app.state.jobs[1]
        # Every set of layers is there already, so each that a walk comes to is, and nothing more is to be done.
        assert job.done == job.total <= 2 * 6 * 16
        assert not job.open_ended
        await until(pilot, lambda: app.state.shown_charts.estimator == "permutation")  # type: ignore[union-attr]


@pytest.mark.slow
async def test_jobs_are_paused_resumed_and_cancelled(store: Path, config: RunConfig) -> None:
    async with exploring(store, config.model_copy(update={"limit": None})) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.state.jobs and app.state.jobs[0].done > 0)
        await pilot.press("p")
        await until(pilot, lambda: app.state.jobs[0].state == "paused")
        done = app.state.jobs[0].done
        await pilot.press("j")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))
        assert len(app.screen.shown.lines) == 1
        assert app.state.jobs[0].done == done
        await pilot.press("p")
        await until(pilot, lambda: app.state.jobs[0].done > done)
        await pilot.press("x")
        await until(pilot, lambda: app.state.jobs[0].state == "cancelled")
        await pilot.press("escape")
        assert isinstance(app.screen, ExploreScreen)
        await until(pilot, lambda: _states(store)["windows"] == "cancelled")
        await pilot.press("space")
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        # Nothing runs, so nothing reads as running, in the store and in the table.
        await until(pilot, lambda: _states(store) == {"windows": "cancelled", "by hand": "finished"})
        await pilot.press("b", *["t"] * 5)
        await until(pilot, lambda: "Runs" in drawn(pilot) and "by hand" in drawn(pilot))
        assert "finished" in rows_with(pilot, "by hand")
        assert "cancelled" in rows_with(pilot, "windows")


def _states(store: Path) -> dict[str, str]:
    return {what_ran(row): row.state for row in Results(store).runs().rows}


def rows_with(pilot: Pilot[None], what: str) -> str:
    return "\n".join(line for line in drawn(pilot).splitlines() if what in line)


@pytest.mark.slow
async def test_a_choice_that_is_refused_stays_in_the_dialog(
    store: Path, config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the dialog itself, by the evaluator with the dialog open, and after it was closed."""
    async with exploring(store, config) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        app.screen.query_one("#model", Input).value = "/nowhere/[red]model[/]"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "no model '/nowhere/[red]model[/]'" in _said(app, "model-said"))
        monkeypatch.setattr(choose, "look_before", lambda _: Verdict())
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "no model '/nowhere/[red]model[/]'" in _said(app, "fault"))
        assert app.screen.query_one("#model", Input).value == "/nowhere/[red]model[/]"
        assert not app.told
        app.choices.refuse(app.choices.ask(config.model_copy(update={"limit": 3})).asked, "it was [b]odd[/b]")
        await pilot.press("escape", "m")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        assert _said(app, "fault") == "it was [b]odd[/b]"
        assert app.screen.query_one("#limit", Input).value == "3"
        assert app.state.bench is not None  # what was open stays


def _said(app: Explorer, where: str) -> str:
    return str(app.screen.query_one(f"#{where}", Static).visual)


@pytest.mark.slow
async def test_other_tasks_and_documents_are_chosen(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        tasks = app.screen.query_one(TaskPicker)
        tasks._toggle("agreement")
        app.screen.query_one("#task", Input).value = "opposites"
        app.screen.query_one("#limit", Input).value = "none"
        await pilot.press("ctrl+s")
        assert "documents a task: should be" in _said(app, "fault")
        app.screen.query_one("#limit", Input).value = "5"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ExploreScreen))
        assert {t.name for t in app.state.bench.tasks} == {"capitals", "opposites"}  # type: ignore[union-attr]
        assert {task.documents for task in app.state.bench.tasks} == {5}  # type: ignore[union-attr]
        assert [task.name for task in last_session(store).config.tasks] == ["capitals", "opposites"]
        assert recent_models()[0] == config.model


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
async def test_an_evaluator_that_ended_is_told_and_started_again_where_it_was(
    number: int, store: Path, config: RunConfig
) -> None:
    async with exploring(store, config.model_copy(update={"limit": 40})) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(job.done > 0 for job in app.state.jobs) and _outcomes(store) > 0)
        os.kill(await _pid(store), number)
        await until(pilot, lambda: app.state.connection == "lost")
        assert "ctrl+r" in app.state.notice
        before = _outcomes(store)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.state.jobs and app.state.jobs[-1].state == "finished")
        await until(pilot, lambda: _outcomes(store) == 2 * 40 * 27)
        rows = Results(store).outcomes().rows
        assert 0 < before <= len(rows) == len({(row.task, row.doc_id, row.removed) for row in rows}) == 2 * 40 * 27


def _outcomes(store: Path) -> int:
    """Return how many outcomes are stored; none while there is no store yet."""
    try:
        return sum(run.outcomes for run in Results(store).runs().rows)
    except CornerstoneError:
        return 0


async def _pid(store: Path) -> int:
    connection = await client.connect(store)
    assert connection is not None
    async for event in connection.events():
        if isinstance(event, Hello):
            await connection.close()
            return event.pid
    raise AssertionError


@pytest.mark.slow
async def test_a_second_explorer_shares_the_model_and_removes_layers_of_its_own(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        other = Explorer(store, Session(config=config.model_copy(update={"limit": 2})))
        async with other.run_test() as second:
            await until(second, lambda: other.state.bench is not None and not other.state.stored)
            assert other.state.bench == app.state.bench
            assert other.state.removed == ()


@pytest.mark.slow
async def test_a_run_elsewhere_is_named_once_the_store_is_read_again(store: Path, config: RunConfig) -> None:
    async with exploring(store, config) as (app, pilot):
        process = json.dumps({**here(), "host": "another machine"})
        StoreRecorder(store).begin(RunRecord("1a2b3c4d", "cornerstone run [red]quickstart[/]", "{}", process, 0))
        await pilot.press("f5")
        await until(pilot, lambda: app.state.writers)
        await pilot.press("j")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))
        said = "run 1a2b3c4d, of another program, writes to this store too: cornerstone run [red]quickstart[/]"
        await until(pilot, lambda: said in " ".join(drawn(pilot).replace("│", " ").split()))


@pytest.mark.slow
async def test_help_and_palette_know_every_action(store: Path, config: RunConfig) -> None:
    from tui.explorer.actions import APP, EXPLORE
    from tui.explorer.command_palette import ActionCommands

    async with exploring(store, config) as (app, pilot):
        commands = ActionCommands(app.screen)
        hits = {str(hit.help) for hit in [hit async for hit in commands.discover()]}
        assert hits >= {action.help for action in (*APP, *EXPLORE)}
        await pilot.press("f1")
        await pilot.pause()
        assert "crossed out" in drawn(pilot)


def test_the_explorers_process_loads_nothing_heavy(store: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from core.config.run_config import RunConfig
from tui.explorer.app import Explorer
from tui.explorer.session import Session
class Quiet(Explorer):
    def listen(self): pass
async def main():
    app = Quiet(Path({str(store)!r}), Session(config=RunConfig(tasks=("agreement",))))
    async with app.run_test() as pilot:
        for keys in (("r",), ("m", "escape"), ("j", "escape"), ("b", "escape"), ("e", "escape"), ("f1", "escape")):
            await pilot.press(*keys)
            await pilot.pause(0.2)
asyncio.run(main())
print([m for m in "torch transformers lm_eval datasets scipy pandas".split() if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
