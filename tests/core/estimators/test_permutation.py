"""Permutation sampling: which coalitions it asks for, where walks end, and what its intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.exact import Exact
from core.estimators.permutation import Permutation
from tests.support.games import NoisyGame, Value, additive, everything, outcomes_of

GAME = NoisyGame((1.5, 0.6, 0.3, 0.12, 0.0, 0.9))


def walked(estimator: Permutation, value: Value, units: int) -> tuple[dict[Removed, np.ndarray], list[int]]:
    """Play rounds until nothing is missing; return all outcomes, and how many coalitions each round asked for."""
    known: dict[Removed, np.ndarray] = {}
    rounds = []
    while missing := estimator.missing(known, units):
        assert not known.keys() & set(missing)
        rounds.append(len(missing))
        known |= outcomes_of(value, missing)
    return known, rounds


@given(st.integers(1, 12), st.integers(0, 1000), st.floats(0, 0.5))
def test_values_add_up_but_for_what_truncation_left_off(units: int, seed: int, tolerance: float) -> None:
    worth = np.random.default_rng(seed).random(units)
    estimator = Permutation(8, seed, tolerance)
    known, _ = walked(estimator, additive(worth), units)
    total = estimator.contributions(known, units).sum(axis=0)
    assert (np.abs(total - worth.sum()) <= tolerance + 1e-9).all()


def test_every_coalition_is_the_start_of_a_walk_or_of_its_reverse() -> None:
    """A walk of one seed: the sets that grow by one unit each, from both ends of one order."""
    units = 9
    known, _ = walked(Permutation(8, 5, 0.0), additive([1.0] * units), units)
    complements = {tuple(sorted(set(range(units)) - set(removed))) for removed in known}
    assert complements == known.keys()
    for removed in known:
        assert not removed or any(tuple(p for p in removed if p != unit) in known for unit in removed)


def test_a_walk_does_not_go_on_where_nothing_is_left_to_lose() -> None:
    """Everything is lost with any three units: a walk asks a few removals ahead, and no further."""
    known, rounds = walked(Permutation(8, 1, 0.02), lambda removed: max(0.0, 1 - len(removed) / 3), 40)
    assert len(rounds) == 1  # the first three removals are asked for at once
    assert max(len(removed) for removed in known if len(removed) < 40) == 3
    slow, rounds = walked(Permutation(8, 1, 0.02), lambda removed: max(0.0, 1 - len(removed) / 20), 40)
    assert len(rounds) > 3
    assert 20 <= max(len(removed) for removed in slow if len(removed) < 40) <= 23


def test_more_walks_begin_with_the_same_ones() -> None:
    few, more = (set(walked(Permutation(count, 3, 0.0), additive([1.0] * 8), 8)[0]) for count in (8, 20))
    assert few < more
    other = set(walked(Permutation(8, 4, 0.0), additive([1.0] * 8), 8)[0])
    assert other != few


def test_orders_are_promised_to_stay() -> None:
    """Outcomes stored under these coalitions would be useless to a version that draws other orders."""
    first = Permutation(8, 0, 0.0).missing({}, 6)
    assert first[:5] == [(), (0, 1, 2, 3, 4, 5), (3,), (3, 5), (2, 3, 5)]


def test_many_walks_come_close_to_the_exact_values() -> None:
    units = len(GAME.damage)
    outcomes = GAME.play(everything(units), (300,), np.random.default_rng(0))
    exact = Exact().contributions(outcomes, units).mean(axis=1)
    errors = []
    for count in (8, 800):
        estimator = Permutation(count, 1, 0.0)
        phi = estimator.contributions(outcomes, units).mean(axis=1)
        noise = estimator.sampling_noise(outcomes, units)
        errors.append(float(np.abs(phi - exact).max()))
        np.testing.assert_allclose(noise.sum(axis=0), 0, atol=1e-9)
    assert errors[1] < 0.01 < errors[0]


@pytest.mark.slow
@pytest.mark.parametrize("documents", [64, 400])
def test_intervals_hold_the_truth_over_documents_and_orders(documents: int) -> None:
    """Each trial draws both anew. Documents alone would promise too much: 74 to 96% at 400 of them."""
    rng, units, trials = np.random.default_rng(7), len(GAME.damage), 150
    coalitions = everything(units)
    truth = Exact().contributions(GAME.rates(coalitions), units)[:, 0]
    held = np.zeros(units)
    for seed in range(trials):
        found = estimate(Permutation(20, seed, 0.0), GAME.play(coalitions, (documents,), rng), units, draws=2)
        held += (found.phi_low <= truth) & (truth <= found.phi_high)
    noise = 3 * np.sqrt(0.95 * 0.05 / trials)
    assert (held / trials > 0.93 - noise).all()
    assert held.mean() / trials < 0.98


@pytest.mark.parametrize("count", [0, 2, 6, 9])
def test_walks_come_in_pairs_and_not_too_few(count: int) -> None:
    with pytest.raises(CornerstoneError, match=f"permutations must be an even number of 8 or more, not {count}"):
        Permutation(count)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan")])
def test_a_tolerance_is_not_negative(tolerance: float) -> None:
    with pytest.raises(CornerstoneError, match="tolerance must be a number of 0 or more"):
        Permutation(20, 0, tolerance)
