"""The coalition, job and status lines."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records.records import Writer
from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, text_of
from tui.drawing.fitting import fitting, flowed, listed
from tui.drawing.numbers import clock, decimal, margin, percent
from tui.drawing.plain import plain
from tui.explorer.state import State
from tui.explorer.widgets.coalition_panel import CoalitionPanel
from tui.explorer.widgets.job_line import JobLine
from tui.explorer.widgets.status_bar import StatusBar


def _text(kind: type[CoalitionPanel | JobLine | StatusBar], state: State, width: int = 80, height: int = 24) -> str:
    widget = kind()
    return text_of(widget, lambda: widget.show(state), width=width, height=height)


def test_a_coalition_has_its_drop_and_its_interval() -> None:
    text = _text(CoalitionPanel, example.state())
    point = example.scored((0, 7)).point
    assert "R = {Attn 0, FFN 3}" in text
    assert f"acc {decimal(point.acc)} [" in text
    assert f"drop {decimal(point.drop)} [{decimal(point.drop_low, 2)} to {decimal(point.drop_high, 2)}]" in text
    assert f"{point.changed} changed" in text
    assert "n = 120" in text
    assert "chance .500" in text
    assert "evaluating" not in text


def test_a_coalition_that_is_not_done_says_so() -> None:
    partial = example.scored((0, 7), n=48)
    assert "n = 48 of 120  evaluating…" in _text(CoalitionPanel, example.state(scored=partial), width=120)
    assert "evaluating…" in _text(CoalitionPanel, example.state(scored=None))
    assert "evaluating…" in _text(CoalitionPanel, example.state(scored=example.scored((1,))))
    assert "no evaluator" in _text(CoalitionPanel, example.state(scored=None, connection="lost"))
    assert "evaluating" not in _text(CoalitionPanel, example.state(scored=partial, connection="lost"), width=120)


def test_nothing_removed_is_the_intact_model() -> None:
    text = _text(CoalitionPanel, example.state(removed=()))
    assert "R = {}   the intact model" in text
    assert "acc .892" in text
    assert "space on a layer removes it" in text
    bare = example.state(removed=(), charts=MappingProxyType({}))
    assert "not evaluated yet" in _text(CoalitionPanel, bare)
    assert _text(CoalitionPanel, State())


def test_many_removed_players_are_counted() -> None:
    text = _text(CoalitionPanel, example.state(removed=tuple(range(24)), scored=None), width=40)
    assert "… 24 in all}" in text


def test_a_running_job_has_progress_rate_and_time_left() -> None:
    text = _text(JobLine, example.state())
    for part in ("windows on agreement", "41%", "11 562 of 28 200", "128/s", "02:10 left", "━"):
        assert part in text


def test_a_job_that_may_end_early_says_that_its_total_is_a_bound() -> None:
    config = {"tasks": ["agreement"], "schedule": ["windows"], "until_top": 3}
    job = example.job(config=config)
    text = _text(JobLine, example.state(jobs=(job,)))
    assert "11 562 of ≤ 28 200" in text
    assert "≤ 02:10 left" in text
    assert "≤ 02:10 left" in _text(JobLine, example.state(jobs=(job,)), width=36)
    assert "≤ 02:10 left" in _text(StatusBar, example.state(jobs=(job,)))


@pytest.mark.parametrize("state", ["paused", "queued"])
def test_a_job_that_does_not_run_says_so(state: str) -> None:
    assert state in _text(JobLine, example.state(jobs=(example.job(state=state),)))
    assert state in _text(StatusBar, example.state(jobs=(example.job(state=state),)))


def test_without_a_job_it_says_what_is_going_on() -> None:
    idle = example.state(jobs=())
    assert "press r" in _text(JobLine, idle)
    assert "loading smollm2" in _text(JobLine, replace(idle, narration="loading smollm2"))
    failed = _text(JobLine, example.state(jobs=(example.job(state="failed", error="out of memory"),)))
    assert "failed" in failed
    assert "j shows the error" in failed


def test_a_run_elsewhere_is_named_where_no_job_is() -> None:
    bench = example.opened().model_copy(update={"writers": (Writer("1a2b3c4d", "cornerstone run quickstart"),)})
    idle = example.state(jobs=(), bench=bench)
    for part in ("run 1a2b3c4d writes here too", "f5 charts what it wrote", "press r"):
        assert part in _text(JobLine, idle)
    assert "1a2b3c4d" not in _text(JobLine, example.state(bench=bench))


def test_outcomes_that_wait_for_the_store_are_said() -> None:
    for jobs in ((), (example.job(),)):
        assert "1 200 outcomes wait for the store" in _text(JobLine, example.state(jobs=jobs, unsaved=1200))


@pytest.mark.parametrize("width", [20, 38, 80, 200])
def test_a_job_fits_one_line(width: int) -> None:
    line = JobLine()
    line.styles.border = ("none", "white")
    line.styles.min_height = line.styles.height = 1
    text = text_of(line, lambda: line.show(example.state()), width=width)
    assert text.startswith(" windows on agreem")
    assert "\n" not in text.strip()


def test_the_status_bar_says_less_where_there_is_less_room() -> None:
    wide = _text(StatusBar, example.state(), width=160)
    names, figures = "Cornerstone SmolLM2-135M-Instruct 60 players", "agreement acc .89 ±.06 chance .50"
    assert " ".join(wide.split()) == f"{names} {figures} windows on agreement 41% 02:10 left"
    narrow = _text(StatusBar, example.state(), width=80)
    for part in ("SmolLM2-135M-Instruct", "acc .89 ±.06", "chance .50", "41% 02:10 left"):
        assert part in narrow


def test_the_status_bar_says_how_the_evaluator_is() -> None:
    assert "starting the evaluator…" in _text(StatusBar, State())
    assert "evaluator lost: ctrl+r restarts" in _text(StatusBar, example.state(connection="lost"), width=60)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    state = example.state(
        removed=(), bench=example.opened(model=name, task=name), task=name, jobs=(example.job(title=name),)
    )
    assert _text(StatusBar, state, width=160).count(plain(name).strip()) >= 3
    assert plain(name) in _text(JobLine, state)
    assert plain(name) in _text(JobLine, replace(state, jobs=(), narration=name))
    assert plain(name) in _text(JobLine, replace(state, jobs=(example.job(title=name, state="failed"),)))
    assert "not evaluated" in _text(CoalitionPanel, state)


@pytest.mark.parametrize(
    ("value", "text"), [(0.479, ".479"), (-0.0213, "-.021"), (1.0, "1.000"), (-0.0001, ".000"), (12.345, "12.35")]
)
def test_numbers(value: float, text: str) -> None:
    assert decimal(value) == text


def test_numbers_that_are_not_there() -> None:
    assert decimal(None) == percent(None) == clock(None) == "–"


@given(st.floats(-9, 9), st.integers(1, 4))
def test_a_written_number_is_the_number(value: float, places: int) -> None:
    assert float(decimal(value, places)) == pytest.approx(value, abs=0.51 * 10**-places)


@given(st.integers(0, 10**6))
def test_a_clock_counts_seconds(seconds: int) -> None:
    total = 0
    for part in clock(seconds).split(":"):
        total = total * 60 + int(part)
    assert total == seconds


def test_a_margin_is_half_an_interval() -> None:
    point = replace(example.scored((0,)).point, acc_low=0.25, acc_high=0.75)
    assert margin(point) == pytest.approx(0.25)
    assert margin(replace(point, acc_low=None, acc_high=None)) is None


@given(st.integers(1, 60), st.lists(st.text("ab", min_size=1, max_size=20), min_size=1, max_size=20))
def test_what_is_fitted_fits(width: int, names: list[str]) -> None:
    assert fitting(width, *names).cell_length <= width
    lines = flowed(width, map(fitting_whole, names))
    assert all(line.cell_length <= max(width, *map(len, names)) for line in lines)
    text = listed(width, names)
    assert len(text) <= max(width, len(f"… {len(names)} in all"))


def fitting_whole(name: str):
    return fitting(10**6, name)
