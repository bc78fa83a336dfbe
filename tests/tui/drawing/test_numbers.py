"""Numbers as they are written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import example_state as example
from tui.drawing.numbers import (
    between,
    clock,
    decimal,
    margin,
    percent,
    percent_range,
    signed_between,
    standard_error,
)


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
    assert margin(point) == " ±.25"
    assert margin(replace(point, acc_low=0.9992, acc_high=1.0)) == " ±.0004"
    assert margin(replace(point, acc_low=None, acc_high=None)) == ""


@pytest.mark.parametrize(("low", "high", "text"), [(0.02, 0.27, ".02 to .27"), (0.9996, 1.0, ".9996 to 1.0000")])
def test_the_ends_of_an_interval_differ(low: float, high: float, text: str) -> None:
    assert between(low, high) == text
    assert between(None, high) == between(low, None) == percent_range(low, None) == "–"


def test_a_share_that_is_nearly_nothing_is_less_than_the_least_that_is_written() -> None:
    assert percent_range(0.0, 0.0004) == "<0.1"
    assert percent_range(0.0, 0.0006) == "0.0–0.1"
    assert percent_range(0.12341, 0.12343) == "12.341–12.343"


@given(st.floats(-1, 1), st.floats(2e-5, 1))
def test_no_interval_is_written_as_a_point(low: float, width: float) -> None:
    for written, sign in ((between, " to "), (signed_between, " to "), (percent_range, "–")):
        first, _, last = written(low, low + width).partition(sign)
        assert float(first) < float(last) if last else first == "<0.1"


def test_no_standard_error_is_written_as_zero() -> None:
    assert standard_error(0.0433, 0.1, 0.3) == ".043"
    assert standard_error(0.00031, 0.1, 0.3) == ".0003"
    assert standard_error(None, 0.757, 1.0) == ".76 to 1.00"
    assert standard_error(None, None, None) == "–"
