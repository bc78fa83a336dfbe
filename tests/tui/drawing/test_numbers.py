"""Numbers as they are written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import example_state as example
from tui.drawing.numbers import clock, decimal, margin, percent


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
