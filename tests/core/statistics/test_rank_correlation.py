"""Rank correlations against scipy's, and what their intervals and reliability say of known cases."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.statistics.rank_correlation import correlated, kendall, reliability, spearman, spearman_by_draw

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=30)


@given(PAIRS)
def test_ties_and_all_they_are_scipys(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert np.isnan(spearman(one, other))
        assert np.isnan(kendall(one, other))
    else:
        assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)
        assert kendall(one, other) == pytest.approx(stats.kendalltau(one, other).statistic, abs=1e-12)


def test_each_draw_is_ranked_by_itself_however_many_units_tie() -> None:
    generator = np.random.default_rng(3)
    one, other = generator.integers(0, 5, (40, 25)).astype(float), generator.normal(size=(40, 25))
    found = spearman_by_draw(one, other)
    assert found == pytest.approx([stats.spearmanr(*pair).statistic for pair in zip(one, other, strict=True)])
    other[7, 3] = np.nan
    assert np.isnan(spearman_by_draw(one, other)).tolist() == [draw == 7 for draw in range(40)]


def test_thousands_of_units_are_ranked_in_no_time() -> None:
    """Each against each, as Kendall's tau needs, would take a hundred times as long and gigabytes."""
    values = np.random.default_rng(4).normal(size=(2, 100_000))
    before = time.process_time()
    spearman(*values)
    assert time.process_time() - before < 2


def noisy(noise: float, documents: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.arange(30.0)[:, None] + noise * generator.standard_normal((30, documents))


@pytest.mark.parametrize("correlation", [spearman, kendall])
def test_the_same_ranking_correlates_wholly_and_noise_widens_the_interval(correlation) -> None:
    sure = correlated(correlation, noisy(0.01, 40, 0), noisy(0.01, 40, 1))
    assert (sure.value, sure.low, sure.high) == pytest.approx((1, 1, 1))
    unsure = correlated(correlation, noisy(60, 40, 0), noisy(60, 40, 1))
    assert unsure.low < unsure.value <= unsure.high
    assert unsure.high - unsure.low > 0.1


@pytest.mark.slow
def test_an_interval_holds_the_correlation_with_other_documents() -> None:
    """Resamples are noisier than the documents: their percentiles alone were too low in 13% of these games."""
    games = [(noisy(60, 40, seed), noisy(60, 40, 1000 + seed)) for seed in range(60)]
    usual = np.mean([spearman(one.mean(axis=1), other.mean(axis=1)) for one, other in games])
    found = [correlated(spearman, *game) for game in games]
    assert np.mean([each.high < usual for each in found]) <= 0.06
    assert np.mean([each.low > usual for each in found]) <= 0.06
    assert all(each.high <= 1 for each in found)


def test_reliability_tells_a_ranking_from_noise() -> None:
    assert reliability(noisy(0.01, 20, 0)) == pytest.approx(1)
    assert reliability(np.random.default_rng(0).standard_normal((30, 20))) < 0.6
    assert 0.5 < reliability(noisy(30, 40, 0)) < 1
    assert np.isnan(reliability(noisy(1, 1, 0)))
    assert np.isnan(reliability(np.ones((5, 10))))


def test_reliability_is_the_correlation_with_as_many_other_documents() -> None:
    found = [reliability(noisy(60, 40, seed)) for seed in range(0, 40, 2)]
    truth = [
        spearman(noisy(60, 40, seed).mean(axis=1), noisy(60, 40, seed + 1).mean(axis=1)) for seed in range(0, 40, 2)
    ]
    assert np.mean(found) == pytest.approx(np.mean(truth), abs=0.06)


def test_what_never_varies_has_no_correlation() -> None:
    found = correlated(spearman, np.ones((4, 10)), noisy(1, 10, 0)[:4])
    assert np.isnan([found.value, found.low, found.high]).all()


def test_what_sums_round_ties_all_the_same() -> None:
    one, other = np.array([0.3, 0.3, 0.1, 0.9]), np.array([0.1 + 0.2, 0.3, 0.1, 0.9])
    assert one[0] != other[0]
    assert (spearman(one, other), kendall(one, other)) == pytest.approx((1, 1))


def test_what_two_documents_alone_tell_is_not_reliable() -> None:
    values = np.zeros((3, 10))
    values[0, :2] = 1
    assert reliability(values) < 0.8
