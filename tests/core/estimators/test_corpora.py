"""Estimates of a corpus: a perplexity that is far from the others tells nothing of the units that do not need it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT, windows
from core.estimators.estimate import estimate
from core.estimators.estimator import Estimator, Outcomes
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Game, Question
from core.estimators.window_extrapolation import WindowExtrapolation
from core.estimators.windows import WindowEnds, WindowFirst
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio, TooLargeError
from tests.support.store_records import KINDS, PLAYERS, model

DOCUMENTS = 30
UNITS = 5
PERPLEXITY = Ratio(np.random.default_rng(0).integers(100, 500, DOCUMENTS).astype(np.float64), exponential=True)
BITS = Ratio(PERPLEXITY.weights, exponential=False)


def gains(removed: Removed, cost: float) -> FloatArray:
    """Return those of documents without some units, of which the first costs so many nats for each of their weight."""
    own = np.random.default_rng([*removed, 7]).normal(0, 0.02, DOCUMENTS)
    costs = [cost, 0.5, 0.3, 0.0, 0.2]
    rate = np.full(DOCUMENTS, 3 + sum(costs[unit] for unit in removed)) + (0 if removed in {INTACT, (3,)} else own)
    return np.asarray(-rate * PERPLEXITY.weights)


def outcomes_of(estimator: Estimator, ratio: Ratio, cost: float) -> dict[Removed, FloatArray]:
    return {removed: ratio.linear(gains(removed, cost)) for removed in estimator.coalitions(UNITS)}


@pytest.mark.parametrize("estimator", [LeaveOneOut(), WindowFirst(2), WindowEnds(2)])
@pytest.mark.parametrize("cost", [8.0, 30.0, 60.0])
def test_units_that_do_not_need_a_huge_perplexity_are_as_they_would_be_without_it(
    estimator: Estimator, cost: float
) -> None:
    usual = estimate(estimator, outcomes_of(estimator, PERPLEXITY, 0.4), UNITS, ratio=PERPLEXITY)
    found = estimate(estimator, outcomes_of(estimator, PERPLEXITY, cost), UNITS, ratio=PERPLEXITY)
    others = [unit for unit in range(UNITS) if not any(0 in removed for removed in estimator.needs(unit, UNITS) or ())]
    assert len(others) >= 3
    for name in ("phi", "phi_low", "phi_high", "se"):
        np.testing.assert_allclose(getattr(found, name)[others], getattr(usual, name)[others], rtol=1e-9)
    assert found.phi[0] > 1e3
    assert found.rank[0] == 1


def test_a_unit_that_changes_nothing_has_the_interval_of_its_own_perplexities() -> None:
    found = estimate(LeaveOneOut(), outcomes_of(LeaveOneOut(), PERPLEXITY, 30.0), UNITS, ratio=PERPLEXITY)
    assert found.phi[3] == 0
    assert 0 < found.phi_high[3] < 1


@pytest.mark.parametrize("estimator", [Exact(), WindowExtrapolation(2)])
def test_what_adds_all_perplexities_up_refuses_those_beside_which_nothing_is_left(estimator: Estimator) -> None:
    with pytest.raises(TooLargeError, match=r"beside the intact model's, which .* adds up, is too large"):
        estimate(estimator, outcomes_of(estimator, PERPLEXITY, 30.0), UNITS, ratio=PERPLEXITY)
    found = estimate(estimator, outcomes_of(estimator, BITS, 30.0), UNITS, ratio=BITS)
    assert found.phi[1] == pytest.approx(0.5, abs=0.1)


@dataclass(frozen=True, slots=True)
class _Drawn(LeaveOneOut):
    """Takes its coalitions for ones that were drawn at random, of which two repetitions were far apart."""

    def sampling_noise(self, outcomes: Outcomes, units: int) -> FloatArray:
        del outcomes
        return np.full((2, units), 2.0) * np.array([[1.0], [-1.0]], dtype=np.float64)


def test_the_noise_of_drawn_coalitions_stays_in_the_interval() -> None:
    outcomes = outcomes_of(LeaveOneOut(), BITS, 0.4)
    plain, drawn = (estimate(one, outcomes, UNITS, ratio=BITS) for one in (LeaveOneOut(), _Drawn()))
    assert (plain.phi_high - plain.phi_low < 0.5).all()
    assert (drawn.phi_high - drawn.phi_low > 2).all()


def test_coalitions_that_the_game_does_not_read_may_be_beyond_all_numbers() -> None:
    game: Game = Question(WindowFirst(2)).of(model().players)
    ratio = Ratio(np.ones(4), exponential=True)
    scores = {removed: -np.full(4, 3.0 + len(removed)) for removed in windows(PLAYERS, 2)}
    assert len(KINDS) * 2 == PLAYERS
    read, absent = game.read_complete({**scores, (0, 5): np.full(4, -900.0)}, ratio)
    assert (set(read), absent) == (set(scores), [])
    with pytest.raises(TooLargeError, match=r"exp\(900\)"):
        game.read_complete({**scores, (0, 1): np.full(4, -900.0)}, ratio)
