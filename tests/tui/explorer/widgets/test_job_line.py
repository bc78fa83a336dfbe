"""The line of the job that runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest

from core.records.records import Writer
from core.study.events import TopVerdict
from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, Mounted, mounted, text_of, text_of_state
from tui.drawing.plain import plain
from tui.explorer.job_text import jobs_text
from tui.explorer.widgets.job_line import JobLine
from tui.explorer.widgets.status_bar import StatusBar


def test_a_running_job_has_progress_rate_and_time_left() -> None:
    text = text_of_state(JobLine, example.state())
    for part in ("windows on agreement", "41%", "11 562 of 28 200", "128/s", "02:10 left", "━"):
        assert part in text


def test_a_job_that_may_end_early_says_that_its_total_is_a_bound() -> None:
    config = {"tasks": ["agreement"], "schedule": ["windows"], "until_top": 3}
    job = example.job(config=config)
    text = text_of_state(JobLine, example.state(jobs=(job,)))
    assert "11 562 of ≤ 28 200" in text
    assert "≤ 02:10 left" in text
    assert "≤ 02:10 left" in text_of_state(JobLine, example.state(jobs=(job,)), width=36)
    assert "≤ 02:10 left" in text_of_state(StatusBar, example.state(jobs=(job,)))


def test_a_job_that_decides_on_the_largest_says_how_far_it_is() -> None:
    note = TopVerdict("windows", "agreement", 3, 0.95, 46, 500, 2376, ("FFN 0", "Attn 1"), ("FFN 28",) * 6, 52, 140)
    assert "2 in, 52 out, 6 open" in text_of_state(JobLine, example.state(jobs=(example.job(notes=(note,)),)))


@pytest.mark.parametrize("state", ["paused", "queued"])
def test_a_job_that_does_not_run_says_so(state: str) -> None:
    assert state in text_of_state(JobLine, example.state(jobs=(example.job(state=state),)))
    assert state in text_of_state(StatusBar, example.state(jobs=(example.job(state=state),)))


def test_without_a_job_it_says_what_is_going_on() -> None:
    idle = example.state(jobs=())
    assert "press r" in text_of_state(JobLine, idle)
    assert "loading smollm2" in text_of_state(JobLine, replace(idle, narration="loading smollm2"))
    failed = text_of_state(JobLine, example.state(jobs=(example.job(state="failed", error="out of memory"),)))
    assert "failed" in failed
    assert "j shows the error" in failed


def test_a_run_elsewhere_is_named_where_no_job_is() -> None:
    bench = example.opened().model_copy(update={"writers": (Writer("1a2b3c4d", "cornerstone run quickstart"),)})
    idle = example.state(jobs=(), bench=bench)
    for part in ("run 1a2b3c4d writes here too", "f5 charts what it wrote", "press r"):
        assert part in text_of_state(JobLine, idle)
    assert "run 1a2b3c4d writes here too" in text_of_state(JobLine, example.state(bench=bench)), "beside a job too"


def test_after_a_job_it_says_how_it_ended() -> None:
    now = datetime.now(UTC)
    job = example.job(state="finished", done=15040, total=15040, evaluated=3200, ended=now, elapsed=370)
    text = text_of_state(JobLine, example.state(jobs=(job,)))
    when = f"{now.astimezone():%H:%M}"
    for part in ("windows on agreement", f"finished {when}", "15 040 outcomes (3 200 new)", "took 06:10", "r runs"):
        assert part in text
    assert f"finished {when}" in text_of_state(JobLine, example.state(jobs=(), past=(job,))), "of an earlier evaluator"
    before = job.model_copy(update={"ended": now - timedelta(days=3), "state": "cancelled", "evaluated": 15040})
    text = text_of_state(JobLine, example.state(jobs=(), past=(before,)))
    assert f"was cancelled {now.astimezone() - timedelta(days=3):%Y-%m-%d}" in text
    assert "15 040 outcomes" in text
    assert "new" not in text


def test_jobs_that_go_on_after_a_restart_are_told() -> None:
    state = example.state(jobs=(), resuming=2, narration="")
    assert "2 jobs to go on with, once the model is open" in text_of_state(JobLine, state)


def test_outcomes_that_wait_for_the_store_are_said() -> None:
    for jobs in ((), (example.job(),)):
        assert "1 200 outcomes wait for the store" in text_of_state(JobLine, example.state(jobs=jobs, unsaved=1200))


@pytest.mark.parametrize("width", [20, 38, 80, 200])
def test_a_job_fits_one_line(width: int) -> None:
    line = JobLine()
    line.styles.border = ("none", "white")
    line.styles.min_height = line.styles.height = 1
    text = text_of(line, lambda: line.show(example.state()), width=width)
    assert text.startswith(" windows on agreem")
    assert "\n" not in text.strip()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    state = example.state(
        removed=(), bench=example.opened(model=name, task=name), task=name, jobs=(example.job(title=name),)
    )
    assert plain(name) in text_of_state(JobLine, state)
    assert plain(name) in text_of_state(JobLine, replace(state, jobs=(), narration=name))
    assert plain(name) in text_of_state(JobLine, replace(state, jobs=(example.job(title=name, state="failed"),)))


def test_progress_alone_needs_no_new_layout_which_would_paint_the_whole_screen() -> None:
    asked: list[bool] = []

    class Spied(JobLine):
        def refresh(self, *args: Any, layout: bool = False, **others: Any) -> Self:
            asked.append(layout)
            return super().refresh(*args, layout=layout, **others)

    line = Spied()

    async def flow(app: Mounted) -> None:
        line.show(example.state())
        await app.press()
        asked.clear()
        for done in (11_600, 11_700):
            line.show(example.state(jobs=(example.job(done=done),)))
        assert asked == [False, False]
        line.show(example.state(jobs=()))
        assert asked[2:] == [True]

    mounted(line, flow)


def test_jobs_are_named_in_a_question() -> None:
    running, waiting = example.job(), example.job(state="queued")
    assert jobs_text([running]) == "windows on agreement is at 41%"
    assert jobs_text([running, waiting]).endswith("41%, and 1 job waits")
    assert jobs_text([running, waiting, waiting]).endswith(", and 2 jobs wait")
