"""The line of the coalition that is shown."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, text_of_state
from tui.drawing.numbers import decimal
from tui.explorer.state import State
from tui.explorer.widgets.coalition_panel import CoalitionPanel


def test_a_coalition_has_its_drop_and_its_interval() -> None:
    text = text_of_state(CoalitionPanel, example.state())
    point = example.scored((0, 7)).point
    assert "R = {Attn 0, FFN 3}" in text
    assert f"acc {decimal(point.acc)} [" in text
    assert f"drop {decimal(point.drop)} [{decimal(point.drop_low, 2)} to {decimal(point.drop_high, 2)}]" in text
    assert f"{point.changed} changed" in text
    assert "n = 120" in text
    assert "chance .500" in text
    assert "evaluating" not in text


def test_a_coalition_known_of_more_documents_than_are_evaluated_by_hand_has_them_all() -> None:
    scored = example.scored((0, 7)).model_copy(update={"wanted": 32})
    text = text_of_state(CoalitionPanel, example.state(scored=scored), width=120)
    assert "n = 120  " in text
    assert "of 32" not in text


def test_a_coalition_that_is_not_done_says_so() -> None:
    partial = example.scored((0, 7), n=48)
    assert "n = 48 of 120  evaluating…" in text_of_state(CoalitionPanel, example.state(scored=partial), width=120)
    assert "evaluating…" in text_of_state(CoalitionPanel, example.state(scored=None))
    assert "evaluating…" in text_of_state(CoalitionPanel, example.state(scored=example.scored((1,))))
    assert "no evaluator" in text_of_state(CoalitionPanel, example.state(scored=None, connection="lost"))
    assert "evaluating" not in text_of_state(
        CoalitionPanel, example.state(scored=partial, connection="lost"), width=120
    )


def test_a_refused_coalition_is_not_being_evaluated() -> None:
    said = "[b]the disk[/b] is full"
    text = text_of_state(CoalitionPanel, example.state(scored=None, refused=said), width=120)
    assert "evaluating" not in text
    assert "not evaluated" in text
    assert said in text


def test_nothing_removed_is_the_intact_model() -> None:
    text = text_of_state(CoalitionPanel, example.state(removed=()))
    assert "R = {}   the intact model" in text
    assert "acc .892" in text
    assert "space on a layer removes it" in text
    bare = example.state(removed=(), charts=MappingProxyType({}), scored=None)
    assert "not evaluated yet" in text_of_state(CoalitionPanel, bare)
    assert text_of_state(CoalitionPanel, State())


def test_many_removed_players_are_counted() -> None:
    text = text_of_state(CoalitionPanel, example.state(removed=tuple(range(24)), scored=None), width=40)
    assert "… 24 in all}" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    state = example.state(removed=(), bench=example.opened(model=name, task=name), task=name)
    assert "not evaluated" in text_of_state(CoalitionPanel, state)
