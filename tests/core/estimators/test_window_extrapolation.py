"""The surrogate of neighbours: what it promises of games that are like it, and what it does elsewhere."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import INTACT, windows
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.exact import Exact
from core.estimators.question import Question
from core.estimators.racing import stored_verdicts
from core.estimators.registry import estimators, window_readings
from core.estimators.window_extrapolation import WindowExtrapolation, surrogate
from core.estimators.windows import WindowFirst
from core.statistics.verdicts import Race
from tests.support.games import everything

DOCUMENTS = 5
games = st.tuples(st.integers(1, 7), st.integers(2, 5), st.integers(0, 10_000))
"""The number of units, the longest window, and a seed."""


def random_game(units: int, seed: int) -> dict[Removed, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {removed: rng.random(DOCUMENTS) for removed in everything(units)}


def of_terms(terms: dict[Removed, np.ndarray], units: int) -> dict[Removed, np.ndarray]:
    """Return the game that loses a term once all units of the term are removed, and has 1 with nothing removed."""
    return {
        removed: 1 - sum((lost for term, lost in terms.items() if set(term) <= set(removed)), np.zeros(DOCUMENTS))
        for removed in everything(units)
    }


def neighbours(units: int, seed: int) -> dict[Removed, np.ndarray]:
    """Return terms of every unit and every pair of neighbours."""
    rng = np.random.default_rng(seed)
    pairs = [(unit, unit + 1) for unit in range(units - 1)]
    return {term: rng.normal(size=DOCUMENTS) for term in (*((unit,) for unit in range(units)), *pairs)}


def exact(outcomes: dict[Removed, np.ndarray], units: int) -> np.ndarray:
    return Exact().contributions(outcomes, units)


@given(games)
@settings(max_examples=40)
def test_where_only_neighbours_interact_it_is_exact_on_every_document(game: tuple[int, int, int]) -> None:
    units, longest, seed = game
    outcomes = of_terms(neighbours(units, seed), units)
    found = WindowExtrapolation(longest).contributions(outcomes, units)
    np.testing.assert_allclose(found, exact(outcomes, units), atol=1e-8)


@given(games)
@settings(max_examples=40)
def test_its_values_are_shapleys_of_the_surrogate_and_add_up_to_what_that_loses(game: tuple[int, int, int]) -> None:
    """Shapley's own formula over all coalitions of the surrogate is the reference, whatever game it was fitted to."""
    units, longest, seed = game
    outcomes = random_game(units, seed)
    single, pair = surrogate(outcomes, windows(units, longest)[1:], units)
    terms = {(unit,): lost for unit, lost in enumerate(single)}
    terms |= {(unit, unit + 1): lost for unit, lost in enumerate(pair)}
    fitted = of_terms(terms, units)
    found = WindowExtrapolation(longest).contributions(outcomes, units)
    np.testing.assert_allclose(found, exact(fitted, units), atol=1e-8)
    np.testing.assert_allclose(found.sum(axis=0), 1 - fitted[tuple(range(units))], atol=1e-8)


@given(games)
@settings(max_examples=25)
def test_a_model_turned_around_has_its_values_turned_around(game: tuple[int, int, int]) -> None:
    units, longest, seed = game
    outcomes = random_game(units, seed)
    turned = {tuple(units - 1 - unit for unit in reversed(removed)): values for removed, values in outcomes.items()}
    estimator = WindowExtrapolation(longest)
    found = estimator.contributions(turned, units)[::-1]
    np.testing.assert_allclose(found, estimator.contributions(outcomes, units), atol=1e-8)


@given(games, st.integers(0, 6))
@settings(max_examples=25)
def test_symmetric_units_have_the_same_value(game: tuple[int, int, int], at: int) -> None:
    """Two neighbours that lose the same alone, and the same beside the others: those that interact with neither."""
    units, longest, seed = game
    if units < 2:
        return
    one = at % (units - 1)
    terms = neighbours(units, seed)
    terms[(one + 1,)] = terms[(one,)]
    for beside in ((one - 1, one), (one + 1, one + 2)):
        if beside in terms:
            terms[beside] = np.zeros(DOCUMENTS)
    found = WindowExtrapolation(longest).contributions(of_terms(terms, units), units)
    np.testing.assert_allclose(found[one], found[one + 1], atol=1e-8)


@given(games, st.integers(0, 6))
@settings(max_examples=25)
def test_a_dummy_has_what_it_loses_alone(game: tuple[int, int, int], at: int) -> None:
    units, longest, seed = game
    dummy = at % units
    terms = {
        term: np.zeros(DOCUMENTS) if dummy in term and len(term) > 1 else lost
        for term, lost in neighbours(units, seed).items()
    }
    found = WindowExtrapolation(longest).contributions(of_terms(terms, units), units)
    np.testing.assert_allclose(found[dummy], terms[(dummy,)], atol=1e-8)


@given(games, st.floats(0.01, 100))
@settings(max_examples=25)
def test_more_worth_and_another_scale_do_to_the_values_what_they_do_to_the_game(
    game: tuple[int, int, int], scale: float
) -> None:
    """So the ridge depends on neither: on any game, what units are worth by themselves is added as it is."""
    units, longest, seed = game
    outcomes, estimator = random_game(units, seed), WindowExtrapolation(longest)
    worth = np.random.default_rng(seed + 1).normal(size=(units, DOCUMENTS))
    changed = {removed: scale * values - worth[list(removed)].sum(axis=0) for removed, values in outcomes.items()}
    expected = scale * estimator.contributions(outcomes, units) + worth
    np.testing.assert_allclose(estimator.contributions(changed, units), expected, atol=1e-6 * max(scale, 1))


def test_without_pairs_it_is_the_drop_of_each_unit() -> None:
    outcomes = random_game(5, 0)
    found = WindowExtrapolation(1).contributions(outcomes, 5)
    np.testing.assert_allclose(found, [outcomes[INTACT] - outcomes[(unit,)] for unit in range(5)], atol=1e-12)


def test_the_ridge_is_that_of_hoerl_kennard_and_baldwin() -> None:
    """By hand, with the normal equations of a design that is written out coalition by coalition."""
    units, outcomes = 5, random_game(5, 3)
    fitted_to = windows(units, 3)[1:]
    terms = [*((unit,) for unit in range(units)), *((unit, unit + 1) for unit in range(units - 1))]
    design = np.array([[float(set(term) <= set(removed)) for term in terms] for removed in fitted_to])
    drops = np.array([(outcomes[INTACT] - outcomes[removed]).mean() for removed in fitted_to])
    plain, (squares,), *_ = np.linalg.lstsq(design, drops, rcond=None)
    weight = 4 * squares / (len(fitted_to) - len(terms)) / (plain[units:] ** 2).sum()
    assert weight > 0.01
    rows = np.vstack([design, np.sqrt(weight) * np.eye(len(terms))[units:]])
    expected = np.linalg.lstsq(rows, np.concatenate([drops, np.zeros(4)]), rcond=None)[0]
    single, pair = surrogate(outcomes, fitted_to, units)
    found = np.concatenate([single, pair]).mean(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert np.abs(found - plain).max() > 1e-3


def test_elsewhere_it_may_be_far_off_and_its_intervals_do_not_say_so() -> None:
    """Two units far apart that do each other's work. No window removes both, so nothing tells what both are worth."""
    units = 8
    outcomes = {removed: np.full(40, float(not {0, 7} <= set(removed))) for removed in everything(units)}
    noise = np.random.default_rng(0).normal(0, 0.01, (2**units, 40))
    outcomes = {removed: values + drawn for (removed, values), drawn in zip(outcomes.items(), noise, strict=True)}
    found = estimate(WindowExtrapolation(4), outcomes, units, draws=200)
    assert exact(outcomes, units).mean(axis=1)[[0, 7]] == pytest.approx(0.5, abs=0.02)
    assert (found.phi_high[[0, 7]] < 0.1).all()


def test_it_reads_the_windows_and_is_taken_only_where_it_is_asked_for() -> None:
    assert WindowExtrapolation(3).coalitions(9) == WindowFirst(3).coalitions(9) == windows(9, 3)
    assert "window-extrapolation" in estimators()
    assert "window-extrapolation" not in window_readings()
    assert WindowExtrapolation(3).in_words() == ("windows of up to 3", "extrapolated to coalitions never removed")
    assert "extrapolates to coalitions never removed" in WindowExtrapolation.summary


def test_no_verdict_is_made_of_it() -> None:
    players = players_of((("attn", "ffn"),) * 3)
    scores = {removed: 1.0 - 0.1 * np.arange(200) % 1 * len(removed) for removed in windows(6)}
    found = [
        stored_verdicts(Question(one).of(players), scores, np.arange(200), Race(3, span=1.0))
        for one in (WindowFirst(4), WindowExtrapolation(4))
    ]
    assert [verdicts is None for verdicts in found] == [False, True]


def test_intervals_hold_the_value_also_beyond_what_scores_can_differ_by() -> None:
    rng = np.random.default_rng(754)
    scores = {removed: np.full(30, float(rng.integers(0, 2))) for removed in windows(5, 4)}
    found = estimate(WindowExtrapolation(4), scores, 5, draws=50)
    assert np.abs(found.phi).max() > 1.1
    assert (found.phi_low <= found.phi).all()
    assert (found.phi <= found.phi_high).all()


def test_missing_windows_are_told() -> None:
    outcomes = {removed: np.ones(3) for removed in combinations(range(4), 1)}
    with pytest.raises(CornerstoneError, match=r"window-extrapolation needs 6 more coalitions of these 4 units"):
        WindowExtrapolation(3).contributions(outcomes, 4)
