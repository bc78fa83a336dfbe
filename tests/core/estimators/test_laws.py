"""Shapley's axioms and the textbook's games for exact values; where the other estimators agree with them."""

from __future__ import annotations

import random

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
from tests.support.games import additive, airport, everything, glove, outcomes_of, unanimity

units_and_seed = st.tuples(st.integers(1, 6), st.integers(0, 10_000))


def random_game(units: int, seed: int, documents: int = 4) -> dict[Removed, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {removed: rng.random(documents) for removed in everything(units)}


def exact(outcomes: dict[Removed, np.ndarray], units: int) -> np.ndarray:
    return Exact().contributions(outcomes, units)


@given(units_and_seed)
def test_efficiency_the_values_add_up_on_every_document(size: tuple[int, int]) -> None:
    units, seed = size
    outcomes = random_game(units, seed)
    total = outcomes[()] - outcomes[tuple(range(units))]
    np.testing.assert_allclose(exact(outcomes, units).sum(axis=0), total, atol=1e-12)


@given(units_and_seed, st.randoms(use_true_random=False))
def test_symmetry_renamed_units_keep_their_values(size: tuple[int, int], shuffle: random.Random) -> None:
    units, seed = size
    outcomes, names = random_game(units, seed), list(range(units))
    shuffle.shuffle(names)
    renamed = {tuple(sorted(names[unit] for unit in removed)): values for removed, values in outcomes.items()}
    np.testing.assert_allclose(exact(renamed, units)[names], exact(outcomes, units), atol=1e-12)


@given(units_and_seed, st.integers(0, 5))
def test_dummy_who_adds_the_same_everywhere_gets_that(size: tuple[int, int], dummy: int) -> None:
    units, seed = size
    dummy %= units
    outcomes = random_game(units, seed)
    with_dummy = {
        removed: outcomes[tuple(sorted({*removed, dummy}))] + (0.0 if dummy in removed else 0.125)
        for removed in everything(units)
    }
    np.testing.assert_allclose(exact(with_dummy, units)[dummy], 0.125, atol=1e-12)


@given(units_and_seed, st.floats(-3, 3))
def test_linearity(size: tuple[int, int], scale: float) -> None:
    units, seed = size
    one, other = random_game(units, seed), random_game(units, seed + 1)
    both = {removed: one[removed] + scale * other[removed] for removed in one}
    np.testing.assert_allclose(exact(both, units), exact(one, units) + scale * exact(other, units), atol=1e-9)


@given(st.integers(1, 6), st.sets(st.integers(0, 5), min_size=1))
def test_unanimity_the_team_shares_alike(units: int, team: set[int]) -> None:
    members = frozenset(member % units for member in team)
    found = exact(outcomes_of(unanimity(members), everything(units)), units)[:, 0]
    np.testing.assert_allclose(found, [(unit in members) / len(members) for unit in range(units)], atol=1e-12)


def test_gloves_the_rare_one_is_worth_most() -> None:
    """One left glove and two right ones: 2/3, 1/6, 1/6; two of each: a half each."""
    np.testing.assert_allclose(exact(outcomes_of(glove(1, 3), everything(3)), 3)[:, 0], [2 / 3, 1 / 6, 1 / 6])
    np.testing.assert_allclose(exact(outcomes_of(glove(2, 4), everything(4)), 4)[:, 0], 0.5)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=6))
def test_airport_each_part_of_the_runway_is_shared_by_who_needs_it(costs: list[float]) -> None:
    costs.sort()
    steps = np.diff([0.0, *costs]) / np.arange(len(costs), 0, -1)
    found = exact(outcomes_of(airport(costs, len(costs)), everything(len(costs))), len(costs))[:, 0]
    np.testing.assert_allclose(found, np.cumsum(steps), atol=1e-9)


@pytest.mark.parametrize("name", tuple(estimators()))
@given(worth=st.lists(st.floats(-1, 1), min_size=1, max_size=6))
@settings(max_examples=25)
def test_all_estimators_agree_where_units_do_not_interact(name: str, worth: list[float]) -> None:
    """Permutation where no walk ends early: its tolerance is 0, and units are worth something."""
    estimator = estimator_named(name, {"tolerance": 0.0})
    positive = [abs(w) + 0.25 for w in worth] if name == "permutation" else worth
    outcomes = outcomes_of(additive(positive), everything(len(worth)))
    np.testing.assert_allclose(estimate(estimator, outcomes, len(worth), draws=10).phi, positive, atol=1e-9)


@given(units_and_seed)
def test_leave_one_out_is_the_drop(size: tuple[int, int]) -> None:
    units, seed = size
    outcomes = random_game(units, seed)
    found = LeaveOneOut().contributions(outcomes, units)
    np.testing.assert_array_equal(found, [outcomes[()] - outcomes[(unit,)] for unit in range(units)])


@pytest.mark.parametrize("name", tuple(estimators()))
def test_half_a_schedule_is_told(name: str) -> None:
    estimator: Estimator = estimator_named(name)
    outcomes = outcomes_of(additive([0.5, 0.25, 0.125]), [(), (1,), (0, 1, 2)])
    with pytest.raises(CornerstoneError, match=rf"{name} needs \d more coalitions of these 3 units"):
        estimate(estimator, outcomes, 3)


def test_exact_is_refused_beyond_sixteen_units_with_what_it_would_cost() -> None:
    assert len(Exact().missing({}, 16)) == 65_536
    with pytest.raises(CornerstoneError, match=r"all 2\^17 = 131 072 coalitions of 17 units"):
        Exact().missing({}, 17)


def test_an_unknown_estimator_is_told_what_there_is() -> None:
    with pytest.raises(CornerstoneError, match=r"no estimator 'exakt'; there is window-first, .*did you mean exact"):
        estimator_named("exakt")


def test_settings_reach_the_estimator_they_concern() -> None:
    assert estimator_named("permutation", {"permutations": 30, "seed": 4, "tolerance": 0.1}) == Permutation(30, 4, 0.1)
    assert [estimator_named(name).name for name in estimators()] == list(estimators())
