"""The t of a mean: against arithmetic by hand and scipy's, and whether its interval covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.statistics.signal import signal

NUMBERS = st.lists(st.integers(-8, 8), min_size=2, max_size=30).map(lambda found: np.array(found, dtype=float))


def test_it_is_the_mean_in_standard_errors() -> None:
    # Mean .75, standard deviation .5, so a standard error of .25.
    assert signal(np.array([1.0, 1.0, 1.0, 0.0]), 1.0).t == pytest.approx(3)
    # Mean 2, standard deviation 1 / root of 3.
    assert signal(np.array([1.0, 2.0, 3.0]), 3.0).t == pytest.approx(2 * math.sqrt(3))


@given(NUMBERS)
def test_it_is_scipys_and_within_its_interval(values: np.ndarray) -> None:
    found = signal(values, 8.0)
    if np.ptp(values) == 0:
        assert np.isnan([found.t, found.low, found.high]).all()
    else:
        assert found.t == pytest.approx(stats.ttest_1samp(values, 0).statistic, abs=1e-9)
        assert found.low <= found.t <= found.high


@given(NUMBERS, st.sampled_from([0.001, 3.0, 1000.0]))
def test_the_unit_of_measure_does_not_matter_and_the_sign_turns_it_round(values: np.ndarray, unit: float) -> None:
    plain, scaled, turned = (signal(each, 8 * unit) for each in (values, unit * values, -values))
    numbers = (plain.t, plain.low, plain.high)
    assert (scaled.t, scaled.low, scaled.high) == pytest.approx(numbers, nan_ok=True)
    assert (-turned.t, -turned.high, -turned.low) == pytest.approx(numbers, nan_ok=True)


def test_one_document_or_rounding_alone_tells_nothing() -> None:
    for values in (np.array([2.0]), np.full(9, 0.1), np.array([1.0, 1.0 + 1e-15, 1.0])):
        found = signal(values, 1.0)
        assert np.isnan([found.t, found.low, found.high]).all()


def test_a_large_mean_does_not_hide_what_varies() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0] * 5)
    near, far = signal(values, 1.0), signal(values + 1e6, 1e6)
    ratio = (values.mean() + 1e6) / values.mean()
    assert (far.low, far.high) == pytest.approx((near.t * ratio, near.t * ratio), rel=0.5)
    assert far.t == pytest.approx(near.t * ratio)


def test_the_interval_covers_what_as_many_other_documents_have() -> None:
    rng = np.random.default_rng(5)
    truth = 0.5 * math.sqrt(100)
    found = [signal(rng.normal(0.5, 1, 100), 1.0, seed=game) for game in range(300)]
    assert 0.9 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98
