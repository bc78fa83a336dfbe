"""Agreement of an estimate with a reference: the textbook's numbers, and what intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.estimators.against_exact import Measured, agreement, agreement_of_values
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.statistics.rank_correlation import Correlation, correlated, kendall, spearman
from tests.support.games import NoisyGame, everything


def spread(values: list[float], documents: int = 40, seed: int = 0) -> np.ndarray:
    """Contributions with these means."""
    noise = np.random.default_rng(seed).normal(0, 0.05, (len(values), documents))
    return np.array(values)[:, None] + noise - noise.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_correlations_are_scipys_ties_included(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(0, 5, (8, 1)).astype(float).repeat(3, axis=1) for _ in range(2))
    found = agreement(one, other, draws=10)
    assert found.spearman.value == pytest.approx(stats.spearmanr(one[:, 0], other[:, 0]).statistic)
    assert found.kendall.value == pytest.approx(stats.kendalltau(one[:, 0], other[:, 0]).statistic)


def test_errors_and_the_top_by_hand() -> None:
    found = agreement(spread([0.5, 0.1, 0.3, 0.2]), spread([0.4, 0.2, 0.1, 0.3], seed=1), k=2)
    assert found.bias.value == pytest.approx(0.1 / 4)
    assert found.rmse.value == pytest.approx(np.sqrt((0.01 + 0.01 + 0.04 + 0.01) / 4))
    assert found.mae.value == pytest.approx(0.5 / 4)
    assert found.worst.value == pytest.approx(0.2)
    assert found.top.value == 0.5  # units 0 and 2, where the reference has 0 and 3
    assert (found.n, found.k) == (40, 2)


def test_an_estimate_agrees_with_itself_whatever_the_documents() -> None:
    values = spread([0.5, 0.1, 0.3])
    found = agreement(values, values)
    for measured in (found.spearman, found.kendall, found.top):
        assert (measured.low, measured.value, measured.high) == pytest.approx((1, 1, 1))
    assert (found.bias.low, found.rmse.high) == (0, 0)


def test_values_alone_have_the_numbers_and_no_intervals() -> None:
    values, reference = spread([0.5, 0.1, 0.3, 0.2]), spread([0.4, 0.2, 0.1, 0.3], seed=1)
    whole, alone = agreement(values, reference, k=2), agreement_of_values(values.mean(axis=1), reference, k=2)
    assert (alone.n, alone.k) == (40, 2)
    for name in ("spearman", "kendall", "bias", "rmse", "mae", "worst", "top"):
        assert getattr(alone, name) == Measured(pytest.approx(getattr(whole, name).value), None, None)
    with pytest.raises(ValueError, match="the same units"):
        agreement_of_values(np.zeros(3), reference)


def test_what_is_all_the_same_has_no_correlation() -> None:
    found = agreement(np.full((3, 5), 0.25), spread([0.5, 0.1, 0.3], documents=5))
    assert found.spearman.value is found.spearman.low is found.kendall.high is None
    assert found.bias.value == pytest.approx(-0.05)


def test_intervals_are_as_wide_as_the_documents_are_few() -> None:
    game, rng = NoisyGame((1.2, 0.5, 0.2, 0.1, 0.0)), np.random.default_rng(0)
    widths = []
    for documents in (50, 800):
        outcomes = game.play(everything(5), (documents,), rng)
        found = agreement(LeaveOneOut().contributions(outcomes, 5), Exact().contributions(outcomes, 5))
        for measured in (found.spearman, found.kendall, found.bias, found.rmse, found.mae, found.worst, found.top):
            assert measured.low <= measured.value <= measured.high
        widths.append(found.bias.high - found.bias.low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.25)


@pytest.mark.parametrize(("name", "correlation"), [("spearman", spearman), ("kendall", kendall)])
def test_the_interval_of_a_correlation_is_that_of_all_rank_correlations(name: str, correlation: Correlation) -> None:
    """With noise as large as this, resamples correlate by less than the sample, and the interval is raised."""
    rng = np.random.default_rng(1)
    estimated, exact = (np.linspace(0, 1, 8)[:, None] + rng.normal(0, 2, (8, 12)) for _ in range(2))
    found, same = getattr(agreement(estimated, exact), name), correlated(correlation, estimated, exact)
    assert (found.value, found.low, found.high) == pytest.approx((same.value, same.low, same.high))


def test_other_units_or_none_are_refused() -> None:
    with pytest.raises(ValueError, match="same units"):
        agreement(np.ones((3, 4)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="same units"):
        agreement(np.ones((3, 0)), np.ones((3, 0)))


def test_what_weighted_sums_round_ties_all_the_same() -> None:
    """Exact values of an additive game are its drops: those of three units, and 0 for five, which tie."""
    counts = np.random.default_rng(0).random((3, 40)) < 0.7
    outcomes = {
        removed: 1 - 0.3 * sum(tips for unit, tips in zip((1, 4, 6), counts, strict=True) if unit in removed)
        for removed in everything(8)
    }
    outcomes = {removed: np.broadcast_to(np.asarray(values, dtype=float), 40) for removed, values in outcomes.items()}
    found = agreement(LeaveOneOut().contributions(outcomes, 8), Exact().contributions(outcomes, 8), draws=10)
    assert (found.spearman.value, found.kendall.value) == pytest.approx((1, 1))


def test_no_unit_is_at_the_top_for_being_early_among_zeros() -> None:
    reference = spread([0.5, 0.4, 0.3, 0.0, 0.0])
    assert agreement(np.zeros((5, 40)), reference).top.value == 0
    assert agreement(reference, np.zeros((5, 40))).top.value is None
