"""Small parts around jobs: their end, their time, the log's tail and the gauges in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.cost.rates import Rate
from core.cost.run_time import nearest
from core.machine.gauges import Gauges, GpuGauge
from tests.support import example_state as example
from tui.drawing.numbers import span
from tui.explorer.gauge_text import gauge_text
from tui.explorer.job_end import ended_between, is_long, notification, notifies
from tui.explorer.job_text import documents_text, stop_text, window_text
from tui.explorer.log_tail import MOST_LINES, LogTail
from tui.explorer.state import lost


def test_only_what_ends_now_is_told() -> None:
    running, waiting = example.job(), example.job(job=2, state="queued")
    before = example.state(jobs=(running, waiting))
    done = running.model_copy(update={"state": "finished"})
    assert ended_between(before, replace(before, jobs=(done, waiting))) == (done,)
    assert ended_between(replace(before, jobs=()), replace(before, jobs=(done,))) == (), "it ended long ago"
    assert ended_between(before, lost(before, "")) == ()


def test_what_ended_is_known_without_the_evaluator() -> None:
    done = example.job(state="finished")
    gone = lost(example.state(jobs=(done, example.job(job=2))), "")
    assert gone.ended_jobs == (done,)
    assert gone.unfinished == ()


def test_a_job_of_more_than_a_minute_is_long() -> None:
    assert not is_long(example.job(elapsed=59.0))
    assert is_long(example.job(elapsed=61.0))


@pytest.mark.parametrize(
    ("environment", "may"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x,1,0"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_a_terminal_that_would_print_a_notification_gets_none(environment: dict[str, str], may: bool) -> None:
    assert notifies(environment) == may


def test_a_notification_cannot_be_ended_by_a_name() -> None:
    text = notification("evil\x07\x1b]0;title\x07 finished")
    assert text.startswith("\x1b]9;Cornerstone: evil")
    assert text.count("\x07") == text.count("\x1b") == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (42, "42 s"), (99.7, "100 s"), (130, "2 min"), (5940, "99 min"), (12000, "3 h 20 min"),
     (216000, "2.5 days")],
)  # fmt: skip
def test_estimates_in_words(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_the_nearest_rate_is_taken() -> None:
    def rate(task: str, schedule: str, per_second: float) -> Rate:
        return Rate(task_id=task, schedule=schedule, per_second=per_second)

    known = [rate("a", "windows up to 4", 1), rate("a", "ablation", 2), rate("b", "windows up to 4", 3)]
    assert nearest(known, "a", "ablation") == known[1]
    assert nearest(known, "a", "windows up to 3") == known[0], "the same task and kind of schedule"
    assert nearest(known, "c", "windows up to 2") == known[2], "the latest of that kind"
    assert nearest(known, "c", "exact") == known[2]
    assert nearest([rate("a", "ablation", 0)], "a", "ablation") is None


def test_columns_of_a_job() -> None:
    assert [documents_text(limit) for limit in (None, 64, 12000, 0.1, 0.125)] == ["all", "64", "12 000", "10%", "12.5%"]
    cost = example.job(config={"tasks": ["agreement"], "until_cost": 0.05, "confidence": 0.9})
    assert stop_text(cost) == "cost .05 at 90%"
    job = example.job(config={"tasks": ["agreement"], "schedule": ["windows"], "until_top": 3, "max_removed": 2})
    assert (stop_text(job), window_text(job)) == ("top 3 at 95%", "2")
    assert (stop_text(example.job()), window_text(example.job())) == ("all documents", "4")
    assert window_text(example.job(config={"tasks": ["agreement"], "schedule": ["ablation"]})) == ""


def test_a_log_is_read_again_only_if_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = LogTail(path)
    assert tail.changed() == ""
    assert tail.changed() is None
    path.write_text("one\n\x1b[31mtwo\n")
    said = tail.changed()
    assert said is not None
    assert said.startswith("one\n")
    assert "\x1b" not in said
    assert tail.changed() is None
    path.write_text("".join(f"line {number} {'x' * 100}\n" for number in range(5000)))
    said = tail.changed()
    assert said is not None
    lines = said.splitlines()
    assert len(lines) <= MOST_LINES
    assert all(line.startswith("line ") for line in lines), "none has lost its beginning"
    assert lines[-1].startswith("line 4999")


def test_gauges_in_words() -> None:
    gauges = Gauges(1.94, 2, 1_240_000_000, 5_400_000_000, 25_200_000_000, (GpuGauge(0.98, 71 * 10**9, 139 * 10**9),))
    assert gauge_text(gauges).split("   ") == [
        "evaluator: 1.9 of 2 cores, 1.2 GB",
        "machine: 5.4 of 25.2 GB free",
        "GPU 0: 98%, 71 of 139 GB",
    ]
    assert "no evaluator" in gauge_text(None)
