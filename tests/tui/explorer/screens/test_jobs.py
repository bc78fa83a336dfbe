"""The screen of jobs: what it lists and in which order, and what its keys ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from core.config.run_config import RunConfig
from core.evaluator.address import log_path
from core.evaluator.protocol import Cancel, JobView, Move, Pause, Request, StartJob, Workers
from core.study.worker_view import WorkerView
from tests.support import example_state as example
from tests.support.explorer import until
from tests.support.screen_host import drawn, rows_of, settled, squashed, typed
from tui.explorer.app import Explorer
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.session import Session
from tui.explorer.state import State, after, lost, sent
from tui.explorer.widgets.result_table import ResultTable

pytestmark = pytest.mark.asyncio

NOW = datetime.now(UTC)
DONE = example.job(job=1, state="finished", done=100, total=100, evaluated=100, ended=NOW - timedelta(hours=2))
FAILED = example.job(job=2, state="failed", error="[red]out of memory[/]", ended=NOW - timedelta(hours=1))
RUNNING = example.job(job=3, started=NOW - timedelta(minutes=5), elapsed=300.0)
WAITING = example.job(job=4, state="queued", done=0, title="ablation on capitals")
NEXT = example.job(job=5, state="queued", done=0, title="exact on capitals")
PAST = example.job(job=9, state="interrupted", title="windows on blimp", ended=None, started=NOW - timedelta(days=1))
JOBS = example.state(jobs=(DONE, FAILED, RUNNING, WAITING, NEXT), past=(PAST,))


class Asked(Explorer):
    """An explorer without an evaluator, which keeps what it is asked for."""

    def __init__(self, store: Path, shown: State) -> None:
        super().__init__(store, Session(config=example.opened().config))
        self.shown = shown
        self.asked: list[Request] = []

    def listen(self, line: Any = None) -> None:  # type: ignore[override]
        self.state = self.shown

    def ask(self, request: Request) -> None:  # type: ignore[override]
        self.asked.append(request)


@asynccontextmanager
async def jobs(
    tmp_path: Path, shown: State = JOBS, size: tuple[int, int] = (120, 30)
) -> AsyncIterator[tuple[Asked, Pilot[None]]]:
    app = Asked(tmp_path / "s.duckdb", shown)
    async with app.run_test(size=size) as pilot:
        await settled(pilot, "j")
        app.asked.clear()
        yield app, pilot


def order(app: Asked) -> list[str]:
    return [str(line.row.job) for line in screen(app).shown.lines]


def screen(app: Asked) -> JobsScreen:
    assert isinstance(app.screen, JobsScreen)
    return app.screen


async def test_what_a_job_does_and_its_tasks_are_whole_on_a_narrow_terminal(tmp_path: Path) -> None:
    tasks = [{"name": "agreement", "data": "/data/own.jsonl"}, "capitals"]
    config = RunConfig.model_validate({"tasks": tasks, "schedule": ["ablation", "windows"], "players": "blocks:2"})
    job = example.job(job=7, config=config, title="ablation and windows over blocks:2 x agreement, capitals")
    async with jobs(tmp_path, example.state(jobs=(job,)), size=(80, 24)) as (app, pilot):
        assert "ablation and windows over blocks:2 " in drawn(pilot)
        table = screen(app).shown
        assert table.listing is not None
        (line,) = table.lines
        told = dict(zip([column.title for column in table.listing.columns], line.cells, strict=True))
        assert (told["what"], told["tasks"]) == (
            "ablation and windows over blocks:2",
            "agreement=own.jsonl, capitals",
        )
        await settled(pilot, "slash")
        await typed(pilot, "capitals")
        assert order(app) == ["7"]


async def test_what_is_wrong_with_a_filter_is_told_whole_on_a_narrow_terminal(tmp_path: Path) -> None:
    async with jobs(tmp_path, size=(80, 24)) as (app, pilot):
        await settled(pilot, "slash")
        await typed(pilot, "nonsense > 3")
        said = app.screen.query_one("#count", Static)
        assert said.has_class("-fault")
        text = str(said.visual)
        assert len(text) > 40
        assert squashed(text) in squashed(drawn(pilot).replace("/", ""))


async def test_the_running_job_is_first_then_those_that_wait_then_the_latest_that_ended(tmp_path: Path) -> None:
    async with jobs(tmp_path) as (app, pilot):
        assert order(app) == ["3", "4", "5", "2", "1", "9"]
        assert screen(app).job == RUNNING
        assert "windows up to 4 on agreement" in drawn(pilot)
        app.state = replace(app.state, jobs=(DONE, FAILED, RUNNING, NEXT, WAITING))
        await settled(pilot)
        assert order(app)[:3] == ["3", "5", "4"]
        await settled(pilot, "down", "down")
        app.state = JOBS
        await settled(pilot)
        assert order(app)[:3] == ["3", "4", "5"]
        assert screen(app).job == WAITING, "the cursor stays on its job"


async def test_the_workers_of_the_running_job_are_told_and_of_no_other(tmp_path: Path) -> None:
    told = (WorkerView(1, "evaluating", "north", 420, 3.5), WorkerView(2, "loading", "south"))
    shown = after(JOBS, Workers(job=RUNNING.job, workers=told))
    async with jobs(tmp_path, shown, size=(120, 40)) as (app, pilot):
        for said in ("worker 1 on north: evaluating, 3.5/s, 420 outcomes", "worker 2 on south: loading"):
            assert said in drawn(pilot)
        await settled(pilot, "down")
        assert "worker 1" not in drawn(pilot)
        await settled(pilot, "up")
        app.state = after(app.state, Workers(job=RUNNING.job))
        await settled(pilot)
        assert "worker 1" not in drawn(pilot)
    assert lost(shown, "gone").workers_of(RUNNING) == ()


@pytest.mark.parametrize("width", [80, 200])
async def test_states_are_words_at_any_width(tmp_path: Path, width: int) -> None:
    async with jobs(tmp_path, size=(width, 24)) as (_, pilot):
        text = drawn(pilot)
        for said in ("running", "waits", "failed", "finished", "41%", "02:10"):
            assert said in text
        (row,) = rows_of(text, "3 ")
        if width == 200:
            for cell in ("11 562 of 28 200", "all documents", "05:00", "all"):
                assert cell in row


async def test_the_context_line_stands_here_too(tmp_path: Path) -> None:
    async with jobs(tmp_path, size=(120, 24)) as (_, pilot):
        first = drawn(pilot).splitlines()[0]
        for said in ("SmolLM2-135M-Instruct", "agreement", "41%"):
            assert said in first


async def test_a_waiting_job_is_moved_and_no_other(tmp_path: Path) -> None:
    async with jobs(tmp_path) as (app, pilot):
        await settled(pilot, "u")
        assert not app.asked
        await settled(pilot, "down", "down", "u", "shift+up", "d", "shift+down")
        assert app.asked == [Move(job=5, by=by) for by in (-1, -1, 1, 1)]  # type: ignore[arg-type]


@pytest.mark.slow
async def test_a_long_job_is_ended_after_a_question_a_short_one_at_once(tmp_path: Path) -> None:
    async with jobs(tmp_path) as (app, pilot):
        await settled(pilot, "x")
        assert isinstance(app.screen, ConfirmDialog)
        await settled(pilot, "n")
        assert not app.asked
        await settled(pilot, "x", "y")
        assert app.asked == [Cancel(job=3)]
        await settled(pilot, "down", "x")
        assert app.asked[1:] == [Cancel(job=4)]
        await settled(pilot, "ctrl+end", "x")
        assert len(app.asked) == 2
    short = RUNNING.model_copy(update={"elapsed": 5.0})
    async with jobs(tmp_path, replace(JOBS, jobs=(short,))) as (app, pilot):
        await settled(pilot, "p", "x")
        assert app.asked == [Pause(job=3), Cancel(job=3)]


async def test_a_cancelled_job_is_said_to_be_until_its_batch_ends(tmp_path: Path) -> None:
    short = RUNNING.model_copy(update={"elapsed": 5.0})
    async with jobs(tmp_path, replace(JOBS, jobs=(short, WAITING))) as (app, pilot):
        await settled(pilot, "x")
        (request,) = app.asked
        app.state = sent(app.state, request)
        await settled(pilot)
        assert [line.cells[1] for line in screen(app).shown.lines][:2] == ["cancelling", "waits"]
        await settled(pilot, "escape")
        assert "cancelling" in drawn(pilot)
        app.state = replace(app.state, jobs=(short.model_copy(update={"state": "cancelled"}), WAITING))
        await settled(pilot, "j")
        assert "cancelling" not in drawn(pilot)
        assert lost(app.state, "").cancelled == frozenset()


async def test_an_ended_job_is_started_again(tmp_path: Path) -> None:
    async with jobs(tmp_path) as (app, pilot):
        await settled(pilot, "a")
        assert not app.asked, "it runs"
        await settled(pilot, "ctrl+end")
        assert "a starts it again" in drawn(pilot)
        await settled(pilot, "a")
        assert isinstance(app.screen, ConfirmDialog), "job 3 is the same, and runs"
        await settled(pilot, "y")
        assert app.asked == [StartJob(config=PAST.config, command=PAST.command)]


@pytest.mark.slow
async def test_the_log_follows_its_file_and_is_plain_text(tmp_path: Path) -> None:
    log_path(tmp_path / "s.duckdb").write_text("[red]one[/]\n\x1b[31mtwo\n")
    async with jobs(tmp_path, size=(100, 24)) as (app, pilot):
        assert "Evaluator's log" not in drawn(pilot)
        await settled(pilot, "o")
        await _until(pilot, "[red]one[/]")
        assert "Details" not in drawn(pilot)
        log_path(app.store).write_text("[red]one[/]\nthree\n")
        await _until(pilot, "three")
        await settled(pilot, "o")
        assert "Details" in drawn(pilot)
    async with jobs(tmp_path, size=(100, 40)) as (_, pilot):
        await _until(pilot, "three")
        assert "Details" in drawn(pilot), "a high terminal has room for both"


async def _until(pilot: Pilot[None], text: str) -> None:
    await until(pilot, lambda: text in drawn(pilot))


async def test_progress_alone_draws_only_the_rows_that_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_again: list[Any] = []
    async with jobs(tmp_path) as (app, pilot):
        monkeypatch.setattr(ResultTable, "refresh", lambda _self, *regions, **_: drawn_again.append(regions))
        further: JobView = RUNNING.model_copy(update={"seconds_left": 128.0})
        app.state = replace(JOBS, jobs=(DONE, FAILED, further, WAITING, NEXT))
        await settled(pilot)
        assert [[(region.y, region.height) for region in regions] for regions in drawn_again] == [[(1, 1)]]
