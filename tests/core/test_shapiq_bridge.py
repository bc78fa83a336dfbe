"""All our estimators against shapiq's exact values, on games that both can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.registry import estimator_named, estimators
from core.estimators.windows import WindowEnds, WindowFirst
from core.shapiq_bridge import OutcomesGame, interaction_values, removed_units

DOCUMENTS = 3
Outcomes = dict[Removed, np.ndarray]


def every(units: int) -> list[Removed]:
    return [removed for size in range(units + 1) for removed in combinations(range(units), size)]


def random_game(units: int, seed: int) -> Outcomes:
    generator = np.random.default_rng(seed)
    return {removed: generator.random(DOCUMENTS) for removed in every(units)}


def additive_game(units: int, seed: int) -> Outcomes:
    worth = np.random.default_rng(seed).normal(size=(units, DOCUMENTS))
    return {removed: 1 - worth[list(removed)].sum(axis=0) for removed in every(units)}


def labels(units: int) -> list[str]:
    return [f"Layer {unit}" for unit in range(units)]


def shapiqs(outcomes: Outcomes, units: int) -> np.ndarray:
    return np.asarray(OutcomesGame(outcomes, labels(units)).exact_values("SV", 1).get_n_order_values(1))


@settings(max_examples=12)
@given(st.integers(1, 7), st.integers(0, 1000))
def test_exact_equals_shapiqs_exact_values(units: int, seed: int) -> None:
    outcomes = random_game(units, seed)
    np.testing.assert_allclose(estimate(Exact(), outcomes, units, draws=10).phi, shapiqs(outcomes, units), atol=1e-12)


def test_exact_equals_shapiqs_exact_values_of_12_units() -> None:
    outcomes = random_game(12, 0)
    np.testing.assert_allclose(estimate(Exact(), outcomes, 12, draws=10).phi, shapiqs(outcomes, 12), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_permutation_is_within_its_sampling_error_of_shapiqs_exact_values(seed: int) -> None:
    # One document, so that all the noise is of the orders drawn.
    units, outcomes = 6, {removed: values[:1] for removed, values in random_game(6, seed).items()}
    estimator = Permutation(400, seed=seed, tolerance=0)
    noise = estimator.sampling_noise(outcomes, units)
    se = np.sqrt((noise**2).mean(axis=0) / len(noise))
    error = estimate(estimator, outcomes, units, draws=10).phi - shapiqs(outcomes, units)
    assert (np.abs(error) < 5 * se + 1e-9).all()
    assert 0.001 < se.max() < 0.05
    # More walks are nearer: no constant bias hides in the bound.
    more = estimate(Permutation(6400, seed=seed, tolerance=0), outcomes, units, draws=10).phi - shapiqs(outcomes, units)
    assert np.abs(more).max() < 0.02


@settings(max_examples=15)
@given(st.integers(2, 7), st.integers(0, 1000), st.sampled_from(tuple(estimators())))
def test_of_an_additive_game_every_estimator_finds_shapiqs_exact_values(units: int, seed: int, name: str) -> None:
    outcomes = additive_game(units, seed)
    estimator = estimator_named(name, {"permutations": 8, "tolerance": 0})
    assert not estimator.missing(outcomes, units)
    found = estimate(estimator, outcomes, units, draws=10).phi
    np.testing.assert_allclose(found, shapiqs(outcomes, units), atol=1e-9)


@pytest.mark.parametrize("estimator", [WindowFirst(4), WindowEnds(4), LeaveOneOut()])
def test_where_units_interact_windows_are_no_shapley_values(estimator: Estimator) -> None:
    """Window estimators estimate another quantity, so agreement on additive games is no proof."""
    outcomes = random_game(6, 1)
    assert np.abs(estimate(estimator, outcomes, 6, draws=10).phi - shapiqs(outcomes, 6)).max() > 0.05


def test_a_coalition_is_turned_over() -> None:
    outcomes = random_game(3, 0)
    game = OutcomesGame(outcomes, labels(3))
    assert removed_units(np.array([1, 0, 1])) == (1,)
    kept = np.array([[True, True, True], [False, True, True], [False, False, False]])
    expected = [outcomes[()].mean(), outcomes[0,].mean(), outcomes[0, 1, 2].mean()]
    np.testing.assert_allclose(game(kept), expected)
    np.testing.assert_allclose(game([("Layer 1", "Layer 2")]), expected[1:2])
    np.testing.assert_allclose(game(game.grand_coalition), expected[:1])
    np.testing.assert_allclose(game(game.empty_coalition), expected[2:])


def test_what_is_not_stored_is_refused_by_name_or_evaluated_once() -> None:
    outcomes = random_game(3, 0)
    stored = {removed: outcomes[removed] for removed in ((), (0,))}
    with pytest.raises(CornerstoneError, match=r"lacks 6 coalitions of its 3 units, such as .* without Layer 0, Lay"):
        OutcomesGame(stored, labels(3)).exact_values("SV", 1)
    asked: list[Removed] = []

    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, np.ndarray]:
        asked.extend(coalitions)
        return {removed: outcomes[removed] for removed in coalitions}

    game = OutcomesGame(stored, labels(3), evaluate)
    np.testing.assert_allclose(game.exact_values("SV", 1).get_n_order_values(1), shapiqs(outcomes, 3))
    assert sorted(asked) == sorted(set(outcomes) - set(stored))
    game.exact_values("SII", 2)
    assert len(asked) == 6


def test_an_estimate_is_handed_over_as_shapiqs_own() -> None:
    outcomes = random_game(5, 2)
    found = estimate(Exact(), outcomes, 5, draws=10)
    ours = interaction_values(found, nothing=float(outcomes[0, 1, 2, 3, 4].mean()), coalitions=32)
    theirs = OutcomesGame(outcomes, labels(5)).exact_values("SV", 1)
    assert (ours.index, ours.max_order, ours.min_order, ours.n_players) == ("SV", 1, 0, 5)
    assert ours.dict_values.keys() == theirs.dict_values.keys()
    for interaction, value in theirs.dict_values.items():
        assert ours[interaction] == pytest.approx(value)
    assert (ours.estimated, ours.estimation_budget) == (False, 32)
    assert interaction_values(estimate(WindowFirst(2), outcomes, 5, draws=10)).estimated
