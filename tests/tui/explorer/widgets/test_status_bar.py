"""The bar at the top: model, task, job and evaluator."""

from __future__ import annotations

import pytest

from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, text_of_state
from tui.drawing.plain import plain
from tui.explorer.state import State
from tui.explorer.widgets.status_bar import StatusBar


def test_the_status_bar_says_less_where_there_is_less_room() -> None:
    wide = text_of_state(StatusBar, example.state(), width=160)
    names, figures = "Cornerstone SmolLM2-135M-Instruct 60 players", "agreement acc .89 ±.06 n = 120 chance .50"
    assert " ".join(wide.split()) == f"{names} {figures} windows on agreement 41% 02:10 left"
    narrow = text_of_state(StatusBar, example.state(), width=80)
    for part in ("SmolLM2-135M-Instruct", "acc .89 ±.06", "chance .50", "41% 02:10 left"):
        assert part in narrow


def test_the_status_bar_says_how_the_evaluator_is() -> None:
    assert "starting the evaluator…" in text_of_state(StatusBar, State())
    assert "evaluator lost: ctrl+r restarts" in text_of_state(StatusBar, example.state(connection="lost"), width=60)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    state = example.state(
        removed=(), bench=example.opened(model=name, task=name), task=name, jobs=(example.job(title=name),)
    )
    assert text_of_state(StatusBar, state, width=160).count(plain(name).strip()) >= 3
