"""Ratios of sums over documents: values, drops and intervals, against formulas and loops written here."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest

from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.exact import Exact
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio, TooLargeError, percentiles


def corpus(documents: int, rows: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return gains, shape (rows, documents), and weights, which differ by a factor of 30."""
    generator = np.random.default_rng(seed)
    weights = generator.integers(10, 300, documents).astype(np.float64)
    rates = generator.normal(1.0, 0.2, (rows, documents)) + 0.3 * np.arange(rows)[:, None]
    return -rates * weights, weights


def by_hand(gains: FloatArray, weights: FloatArray, *, exponential: bool) -> float:
    rate = -gains.sum() / weights.sum()
    return math.exp(rate) if exponential else float(rate)


@pytest.mark.parametrize("exponential", [False, True])
def test_the_mean_is_minus_the_value_of_the_corpus(exponential: bool) -> None:
    gains, weights = corpus(7, 3)
    z = Ratio(weights, exponential).linear(gains)
    for row, own in zip(z, gains, strict=True):
        assert -row.mean() == pytest.approx(by_hand(own, weights, exponential=exponential), rel=1e-12)


@pytest.mark.parametrize("exponential", [False, True])
def test_a_resample_has_the_value_of_its_own_corpus(exponential: bool) -> None:
    gains, weights = corpus(6, 2)
    ratio = Ratio(weights, exponential)
    drawn = np.concatenate(list(ratio.drawn(ratio.linear(gains), 40, seed=3)), axis=1)
    generator = np.random.default_rng(3)
    picked = generator.integers(0, 6, size=(40, 6), dtype=np.int64)
    for row, own in zip(drawn, gains, strict=True):
        values = [by_hand(own[some], weights[some], exponential=exponential) for some in picked]
        assert -row == pytest.approx(values, rel=1e-9)


def test_a_drop_is_above_0_where_the_value_is_worse() -> None:
    gains, weights = corpus(200, 3)
    for exponential in (False, True):
        (_, worse), (_, better) = Ratio(weights, exponential).against(gains[1], np.stack([gains[2], gains[0]]))
        assert (worse.n, worse.p_value) == (200, None)
        assert 0 < worse.low < worse.drop < worse.high
        assert better.low < better.drop < better.high < 0
        first, second = (by_hand(gains[at], weights, exponential=exponential) for at in (1, 2))
        assert worse.drop == pytest.approx(second - first)


def test_what_never_varies_is_not_certain() -> None:
    weights = np.array([10.0, 40.0, 20.0])
    gains = -2 * weights
    ((_, same),) = Ratio(weights, exponential=False).against(gains, gains[None])
    assert same.drop == 0
    assert same.low < 0 < same.high
    ((_, alone),) = Ratio(weights[:1], exponential=True).against(gains[:1], gains[None, :1] * 1.1)
    assert alone.low < alone.drop < alone.high
    assert math.isfinite(alone.high)
    score = Ratio(weights[:1], exponential=False).score(gains[:1])
    assert (score.value, score.se, score.low, score.high) == (2.0, None, None, None)


def test_a_perplexity_without_bounds_is_refused() -> None:
    weights = np.array([1.0, 1.0])
    with pytest.raises(CornerstoneError, match="too large to calculate with; read bits per byte"):
        Ratio(weights, exponential=True).linear(np.array([-900.0, -800.0]))


def test_a_perplexity_whose_resamples_have_no_bounds_is_refused() -> None:
    """The value itself is a number, but that of the worst documents alone is none that can be calculated with."""
    losses = np.abs(np.random.default_rng(0).normal(190, 100, 30))
    ratio = Ratio(np.ones(30), exponential=True)
    assert np.isfinite(ratio.linear(-losses)).all()
    with pytest.raises(TooLargeError, match="other documents like these is too large to calculate with"):
        ratio.score(-losses)
    with pytest.raises(TooLargeError):
        ratio.against(np.full(30, -1.0), -losses[None])
    with pytest.raises(TooLargeError, match=r"a perplexity of exp\(300\) is too large"):
        ratio.linear(-np.stack([np.full(30, 2.0), np.full(30, 300.0), losses]))


@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("documents", [1, 40])
def test_an_ablation_is_told_the_same_beside_any_other(documents: int, exponential: bool) -> None:
    gains, weights = corpus(documents, 3)
    huge = gains[0] - 33 * weights  # its perplexity is 1e14 times as large
    ratio = Ratio(weights, exponential)
    ablated = np.stack([gains[1], gains[0], gains[0] - 1e-9 * weights, huge])
    together = ratio.against(gains[0], ablated)
    for own, found in zip(ablated, together, strict=True):
        (alone,) = ratio.against(gains[0], own[None])
        both = [[n for n in (*astuple(score), *astuple(drop)) if n is not None] for score, drop in (found, alone)]
        assert both[0] == pytest.approx(both[1], rel=1e-9)
    assert together[0][1].drop == pytest.approx(
        by_hand(gains[1], weights, exponential=exponential) - by_hand(gains[0], weights, exponential=exponential)
    )
    assert together[1][1].drop == 0
    assert together[2][1].drop > 0


@pytest.mark.parametrize("exponential", [False, True])
def test_intervals_of_drops_and_of_phi_hold_the_truth(exponential: bool) -> None:
    """400 samples of 40 documents out of a population whose value is known."""
    gains, weights = corpus(20_000, 3, seed=1)
    intact, one, _ = (by_hand(own, weights, exponential=exponential) for own in gains)
    truth = one - intact  # in the game below the second unit does nothing, so that the first has all
    generator = np.random.default_rng(2)
    held = {"drop": 0, "phi": 0}
    samples = 400
    for _ in range(samples):
        some = generator.integers(0, len(weights), 40)
        ratio = Ratio(weights[some], exponential)
        ((_, drop),) = ratio.against(gains[0][some], gains[1][None, some])
        held["drop"] += drop.low <= truth <= drop.high
        z = ratio.linear(gains[:2][:, some])
        game = {(): z[0], (0,): z[1], (1,): z[0], (0, 1): z[1]}
        found = estimate(Exact(), game, 2, ratio=ratio, draws=500)
        assert found.phi[0] == pytest.approx(drop.drop)
        held["phi"] += found.phi_low[0] <= truth <= found.phi_high[0]
    for name, count in held.items():
        assert 0.92 <= count / samples <= 0.985, (name, count / samples)


def test_percentiles_contain_what_was_found() -> None:
    drawn = np.linspace(0, 1, 101)[None]
    low, high = percentiles(drawn, np.array([2.0]), 10, 0.95)
    assert low[0] < 0.1
    assert high[0] == 2.0
