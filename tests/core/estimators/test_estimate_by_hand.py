"""Intervals and Shapley estimates: known games, laws, and coverage in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.registry import estimator_named, window_readings
from core.statistics.intervals import mean_se, paired_drop, score_half_width, tango_interval

weights = st.lists(st.floats(-1, 1), min_size=2, max_size=6)


def additive(values: list[float], documents: int = 3, max_removed: int = 4) -> dict[Removed, np.ndarray]:
    """A game in which each player is worth the same whatever else is there."""
    total = sum(values)
    coalitions = windows(len(values), max_removed)
    return {removed: np.full(documents, total - sum(values[p] for p in removed)) for removed in coalitions}


@pytest.mark.parametrize("estimator", window_readings())
@given(values=weights)
def test_an_additive_game_gives_each_player_its_weight(estimator: str, values: list[float]) -> None:
    found = estimate(estimator_named(estimator), additive(values), len(values), draws=10)
    np.testing.assert_allclose(found.phi, values, atol=1e-9)
    np.testing.assert_allclose(found.phi_clipped, np.maximum(values, 0), atol=1e-9)


def test_both_readings_by_hand() -> None:
    score = {(): 1.0, (0,): 0.5, (1,): 0.75, (2,): 1.0, (0, 1): 0.25, (1, 2): 0.5}
    outcomes = {removed: np.array([value, value]) for removed, value in score.items()}
    first = estimate(estimator_named("window-first", {"max_removed": 2}), outcomes, 3, draws=10)
    np.testing.assert_allclose(first.phi, [(0.5 + 0.5) / 2, (0.25 + 0.5) / 2, 0.0])
    ends = estimate(estimator_named("window-ends", {"max_removed": 2}), outcomes, 3, draws=10)
    np.testing.assert_allclose(ends.phi, [(0.5 + 0.5) / 2, (0.25 + 0.5 + 0.25) / 3, (0.0 + 0.25) / 2])
    assert list(first.rank) == [1, 2, 3]
    np.testing.assert_allclose(first.share, [0.5 / 0.875, 0.375 / 0.875, 0])


@pytest.mark.parametrize("estimator", window_readings())
@settings(max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(-2, 2))
def test_estimates_are_linear_in_the_game(estimator: str, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    one, other = ({removed: rng.random(4) for removed in windows(5, 3)} for _ in range(2))
    both = {removed: one[removed] + scale * other[removed] for removed in one}
    phi = [
        estimate(estimator_named(estimator, {"max_removed": 3}), game, 5, draws=10).phi for game in (one, other, both)
    ]
    np.testing.assert_allclose(phi[2], phi[0] + scale * phi[1], atol=1e-9)


def test_standard_errors_are_paired_over_documents() -> None:
    rng = np.random.default_rng(0)
    difficulty = rng.random(50)  # the same under every coalition, so it must not widen anything
    outcomes = {removed: difficulty - 0.1 * (0 in removed) for removed in windows(4, 2)}
    found = estimate(estimator_named("window-first", {"max_removed": 2}), outcomes, 4)
    np.testing.assert_allclose(found.se, 0, atol=1e-12)
    assert (found.phi_high > found.phi_low).all()  # never a zero interval


def test_one_document_has_no_standard_error_but_an_interval() -> None:
    found = estimate(estimator_named("window-ends", {"max_removed": 4}), additive([0.5, 0.25], documents=1), 2)
    assert np.isnan(found.se).all()
    assert (found.phi_high > found.phi_low).all()


def test_no_positive_value_has_no_share() -> None:
    found = estimate(estimator_named("window-first", {"max_removed": 4}), additive([0.0, -0.5]), 2)
    assert np.isnan(found.share).all()
    assert np.isnan(found.share_low).all()


def test_half_a_schedule_is_told() -> None:
    outcomes = additive([0.1, 0.2, 0.3], max_removed=1)
    with pytest.raises(CornerstoneError, match="needs 3 more coalitions"):
        estimate(estimator_named("window-first", {"max_removed": 4}), outcomes, 3)


def test_mean_se_is_lm_evals() -> None:
    from lm_eval.api.metrics import mean_stderr

    values = [1.0, 0.0, 0.0, 1.0, 1.0]
    assert mean_se(np.array(values)) == pytest.approx(mean_stderr(values))
    assert mean_se(np.array([1.0])) is None
    assert mean_se(np.ones(3)) == 0


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_tangos_interval_holds_the_estimate_and_solves_the_score_equation(lost: int, won: int, same: int) -> None:
    n = lost + won + same
    if n == 0:
        return
    low, high = tango_interval(lost, won, n)
    assert -1 <= low <= (lost - won) / n <= high <= 1
    assert low < high
    mirrored_low, mirrored_high = tango_interval(won, lost, n)
    assert (-mirrored_high, -mirrored_low) == pytest.approx((low, high))


def test_nothing_varies_gives_the_score_interval() -> None:
    ones = np.ones(48)
    drop = paired_drop(ones, ones)
    assert (drop.n, drop.drop) == (48, 0)
    assert drop.high == pytest.approx(score_half_width(48)) == pytest.approx(1.96**2 / (48 + 1.96**2), rel=1e-3)
    graded = paired_drop(ones * 0.5, ones * 0.25)
    assert graded.low < 0.25 < graded.high


def test_intervals_of_drops_cover_in_simulation() -> None:
    rng = np.random.default_rng(1)
    trials, n = 2000, 64
    for intact_rate, ablated_rate in ((0.9, 0.3), (0.5, 0.45), (0.7, 0.7)):
        hits = 0
        for _ in range(trials):
            luck = rng.random(n)
            intact = (luck < intact_rate).astype(float)
            ablated = np.where(rng.random(n) < 0.7, luck < ablated_rate, rng.random(n) < ablated_rate).astype(float)
            drop = paired_drop(intact, ablated)
            hits += drop.low <= intact_rate - ablated_rate <= drop.high
        noise = 3 * math.sqrt(0.95 * 0.05 / trials)
        assert 0.93 - noise < hits / trials < 0.97 + noise


def test_documents_must_match() -> None:
    with pytest.raises(ValueError, match="same documents"):
        paired_drop(np.ones(3), np.ones(2))
