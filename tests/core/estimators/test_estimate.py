"""Shapley estimates: the definition itself, laws of the game, coverage. Hand-sized cases: test_estimate_by_hand.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT, windows
from core.errors import CornerstoneError
from core.estimators.estimate import Estimate, estimate
from core.estimators.estimator import Estimator
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.registry import estimator_named, window_readings
from core.estimators.windows import WindowEnds, WindowFirst
from core.statistics.intervals import score_half_width

Game = dict[Removed, np.ndarray]

sizes = st.tuples(st.integers(1, 7), st.integers(1, 8), st.integers(0, 10_000))
"""Players, longest window, seed; the longest window may exceed the model."""


def named(estimator: str, max_removed: int) -> Estimator:
    return estimator_named(estimator, {"max_removed": max_removed})


def random_game(players: int, max_removed: int, seed: int, documents: int = 5) -> Game:
    rng = np.random.default_rng(seed)
    return {removed: rng.random(documents) for removed in windows(players, max_removed)}


def game(
    value: Callable[[Removed], float], players: int, max_removed: int, documents: int = 4
) -> tuple[Game, int, int]:
    return {r: np.full(documents, value(r)) for r in windows(players, max_removed)}, players, max_removed


def by_definition(estimator: str, outcomes: Game, player: int, players: int, max_removed: int) -> float:
    """Return the mean of v(window without i) - v(window) over the windows that count, looking at all windows."""
    first_only = estimator == "window-first"
    differences = [
        outcomes[tuple(p for p in window if p != player)].mean() - outcomes[window].mean()
        for window in windows(players, max_removed)
        if window and (window[0] == player or (window[-1] == player and not first_only))
    ]
    return float(np.mean(differences))


@pytest.mark.slow
@pytest.mark.parametrize("estimator", window_readings())
@given(sizes)
def test_estimates_are_what_the_definition_says(estimator: str, size: tuple[int, int, int]) -> None:
    players, max_removed, seed = size
    outcomes = random_game(players, max_removed, seed)
    found = estimate(named(estimator, max_removed), outcomes, players, draws=2)
    expected = [by_definition(estimator, outcomes, p, players, max_removed) for p in range(players)]
    np.testing.assert_allclose(found.phi, expected, atol=1e-12)


def test_terms_of_the_last_players_stop_at_the_end_of_the_model() -> None:
    """v falls by the square of how many are removed, so that every term of a player differs."""
    square, players, longest = game(lambda removed: 1 - len(removed) ** 2 / 100, 6, 4)
    first = estimate(WindowFirst(longest), square, players, draws=2).phi
    np.testing.assert_allclose(first, [0.04, 0.04, 0.04, 0.03, 0.02, 0.01])  # means of 1, 3, 5, 7 hundredths
    ends = estimate(WindowEnds(longest), square, players, draws=2).phi
    six_terms = (1 + 3 + 3 + 5 + 5 + 7) / 600
    np.testing.assert_allclose(ends, [0.04, (1 + 3 + 3 + 5 + 7) / 500, six_terms, six_terms, 19 / 500, 0.04])


def test_an_interior_player_has_all_terms_at_both_ends() -> None:
    square, players, longest = game(lambda removed: 1 - len(removed) ** 2 / 100, 9, 4)
    assert estimate(WindowEnds(longest), square, players, draws=2).phi[4] == pytest.approx(
        (1 + 2 * (3 + 5 + 7)) / 700  # 2 x 4 - 1 terms: the window of one counts once
    )


@pytest.mark.parametrize("estimator", window_readings())
@pytest.mark.parametrize("max_removed", range(1, 9))
def test_every_longest_window_works_on_a_model_shorter_than_it(estimator: str, max_removed: int) -> None:
    worth = [0.5, 0.125, 0.25]
    outcomes, players, longest = game(lambda removed: 1 - sum(worth[p] for p in removed), 3, max_removed)
    np.testing.assert_allclose(estimate(named(estimator, longest), outcomes, players, draws=2).phi, worth)


@pytest.mark.parametrize("estimator", window_readings())
@given(sizes, st.integers(0, 6))
def test_a_player_whose_removal_changes_nothing_is_worth_nothing(
    estimator: str, size: tuple[int, int, int], dummy: int
) -> None:
    players, max_removed, seed = size
    dummy %= players
    rng = np.random.default_rng(seed)
    scores: dict[Removed, np.ndarray] = {}
    outcomes = {
        removed: scores.setdefault(tuple(p for p in removed if p != dummy), rng.random(5))
        for removed in windows(players, max_removed)
    }
    found = estimate(named(estimator, max_removed), outcomes, players, draws=2)
    assert found.phi[dummy] == 0
    assert found.se[dummy] == 0


@given(sizes)
def test_both_ends_see_the_model_the_same_from_either_side(size: tuple[int, int, int]) -> None:
    players, max_removed, seed = size
    outcomes = random_game(players, max_removed, seed)
    mirrored = {tuple(sorted(players - 1 - p for p in removed)): scores for removed, scores in outcomes.items()}
    there, back = (estimate(WindowEnds(max_removed), g, players, draws=2).phi for g in (outcomes, mirrored))
    np.testing.assert_allclose(there, back[::-1], atol=1e-12)


@pytest.mark.parametrize("estimator", window_readings())
@given(sizes)
def test_the_order_of_documents_only_reaches_the_bootstrap(estimator: str, size: tuple[int, int, int]) -> None:
    players, max_removed, seed = size
    outcomes = random_game(players, max_removed, seed)
    order = np.random.default_rng(seed).permutation(5)
    shuffled = {removed: scores[order] for removed, scores in outcomes.items()}
    one, other = (estimate(named(estimator, max_removed), g, players, draws=2) for g in (outcomes, shuffled))
    for field in ("phi", "phi_clipped", "se", "share"):
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), atol=1e-12)


def test_standard_errors_are_those_of_the_documents_contributions() -> None:
    outcomes = {(): np.array([1.0, 1, 1, 0]), (0,): np.array([0.0, 1, 0, 0])}
    found = estimate(WindowFirst(4), outcomes, 1)
    assert found.phi[0] == 0.5
    assert found.se[0] == pytest.approx(np.std([1, 0, 1, 0], ddof=1) / 2)
    assert found.n == 4


def test_the_bootstrap_agrees_with_the_normal_interval_where_there_are_many_documents() -> None:
    outcomes = random_game(4, 2, seed=5, documents=2000)
    found = estimate(WindowEnds(2), outcomes, 4, draws=4000)
    np.testing.assert_allclose(found.phi_low, found.phi - 1.96 * found.se, atol=0.15 * found.se.max())
    np.testing.assert_allclose(found.phi_high, found.phi + 1.96 * found.se, atol=0.15 * found.se.max())


def test_a_seed_gives_the_same_intervals_and_another_others() -> None:
    outcomes = random_game(6, 2, seed=1, documents=40)
    one, same, other = (estimate(WindowFirst(2), outcomes, 6, seed=seed, draws=300) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one.top3, same.top3)
    np.testing.assert_array_equal(one.share_high, same.share_high)
    assert (one.top3 != other.top3).any()


def test_ranks_follow_the_clipped_values_then_the_unclipped_then_the_order() -> None:
    worth = [-0.25, 0.5, -0.125, 0.5, 0.0]
    outcomes, players, longest = game(lambda removed: -sum(worth[p] for p in removed), 5, 1)
    found = estimate(WindowFirst(longest), outcomes, players, draws=2)
    assert list(found.rank) == [5, 1, 4, 2, 3]
    np.testing.assert_array_equal(found.phi_clipped, [0, 0.5, 0, 0.5, 0])
    np.testing.assert_array_equal(found.share, [0, 0.5, 0, 0.5, 0])


@pytest.mark.parametrize("documents", [1, 2, 48])
def test_what_never_varies_is_as_uncertain_as_its_documents_are_few(documents: int) -> None:
    """Among them differences that are only the same up to rounding."""
    difficulty = np.random.default_rng(0).random(documents) / 2 + 0.5
    outcomes = {removed: difficulty - 0.1 * (0 in removed) for removed in windows(3, 2)}
    found = estimate(WindowFirst(2), outcomes, 3)
    width = score_half_width(documents)
    np.testing.assert_allclose(found.phi_high - found.phi, width)
    np.testing.assert_allclose(found.phi - found.phi_low, np.minimum(width, found.phi + 1))
    if documents > 1:
        np.testing.assert_array_equal(found.se, 0)


def test_intervals_of_scores_in_the_unit_range_stay_possible() -> None:
    outcomes, players, longest = game(lambda removed: float(0 not in removed), 3, 3)
    found = estimate(WindowFirst(longest), outcomes, players)
    assert found.phi[0] == found.phi_high[0] == 1
    assert found.phi_low[0] == pytest.approx(1 - score_half_width(4))


def test_a_share_that_is_undefined_has_no_interval_either() -> None:
    """No player is worth anything on average, though some resamples of the documents say otherwise."""
    outcomes = {(): np.array([1.0, 0, 0, 0]), (0,): np.array([0.0, 1, 1, 0])}
    found = estimate(WindowFirst(1), outcomes, 1)
    assert found.phi[0] < 0 < found.phi_high[0]
    assert np.isnan([found.share[0], found.share_low[0], found.share_high[0]]).all()


def test_shares_add_up_and_lie_within_their_intervals() -> None:
    rng = np.random.default_rng(2)
    outcomes = {r: (rng.random(200) < 0.9 - 0.4 * (0 in r) - 0.2 * (2 in r)).astype(float) for r in windows(5, 3)}
    found = estimate(WindowEnds(3), outcomes, 5)
    assert found.share.sum() == pytest.approx(1)
    assert ((found.share_low >= 0) & (found.share_low <= found.share) & (found.share <= found.share_high)).all()
    assert (found.share_high <= 1).all()


@pytest.mark.parametrize("documents", [1, 2, 48])
def test_a_player_that_never_matters_may_still_have_a_share(documents: int) -> None:
    outcomes, players, longest = game(lambda removed: 1 - 0.5 * (0 in removed), 3, 2, documents)
    found = estimate(WindowFirst(longest), outcomes, players)
    width = score_half_width(documents)
    np.testing.assert_array_equal(found.share, [1, 0, 0])
    np.testing.assert_allclose(found.share_high[1:], width / (width + max(0.5 - width, 0)))
    np.testing.assert_array_equal(found.share_low[1:], 0)
    mine = max(0.5 - width, 0)
    np.testing.assert_allclose(found.share_low[0], mine / (mine + width))  # the others may be worth as much, together
    assert found.share_high[0] == 1


def test_a_share_carries_both_its_own_uncertainty_and_that_of_the_others() -> None:
    """Player 0 is worth 0.25 on every document, player 1 is worth 0.5 on some: neither alone tells the width."""
    hurt = np.array([1.0, 0.0] * 24)
    outcomes = {r: 1 - 0.25 * (0 in r) - 0.5 * hurt * (1 in r) for r in windows(2, 2)}
    found = estimate(WindowFirst(2), outcomes, 2)
    width = score_half_width(48)
    assert found.share[0] == pytest.approx(0.5)
    np.testing.assert_allclose(found.share_low[0], (0.25 - width) / (0.25 - width + found.phi_high[1]), rtol=0.02)
    np.testing.assert_allclose(found.share_high[0], (0.25 + width) / (0.25 + width + found.phi_low[1]), rtol=0.02)


def test_a_player_that_surely_harms_has_no_share() -> None:
    outcomes, players, longest = game(lambda removed: 0.25 - 0.25 * (0 in removed) + 0.5 * (1 in removed), 2, 1, 48)
    found = estimate(WindowFirst(longest), outcomes, players)
    assert found.phi[1] == -0.5
    assert found.share_low[1] == found.share_high[1] == 0


@pytest.mark.parametrize("estimator", window_readings())
@given(sizes, st.integers(1, 6), st.sampled_from([2, 50]))
@example((2, 2, 140), 3, 50)  # the other player has no positive value in nearly all resamples
def test_estimates_lie_within_their_intervals_and_shares_have_width(
    estimator: str, size: tuple[int, int, int], documents: int, draws: int
) -> None:
    players, max_removed, seed = size
    rng = np.random.default_rng(seed)
    outcomes = {removed: rng.integers(0, 2, documents).astype(float) for removed in windows(players, max_removed)}
    found = estimate(named(estimator, max_removed), outcomes, players, draws=draws)
    assert ((found.phi_low <= found.phi) & (found.phi <= found.phi_high)).all()
    undefined = np.isnan(found.share)
    for bound in (found.share_low, found.share_high):
        np.testing.assert_array_equal(np.isnan(bound), undefined)
    low, high = found.share_low[~undefined], found.share_high[~undefined]
    assert ((low >= 0) & (low <= found.share[~undefined]) & (found.share[~undefined] <= high) & (high <= 1)).all()
    constant = found.se == 0
    moved = found.phi_high[constant & ~undefined] > 0
    assert (high > low)[constant[~undefined]][moved].all()


def test_what_cannot_be_estimated_is_refused() -> None:
    outcomes = random_game(4, 2, seed=0)
    with pytest.raises(CornerstoneError, match="max_removed must be a whole number from 1 to 8, not 0"):
        estimator_named("window-first", {"max_removed": 0})
    with pytest.raises(CornerstoneError, match="needs 3 more coalitions"):
        estimate(WindowEnds(4), outcomes, 4)
    with pytest.raises(CornerstoneError, match="at least one document"):
        estimate(WindowEnds(2), {removed: np.empty(0) for removed in outcomes}, 4)
    with pytest.raises(ValueError, match="same shape"):
        estimate(WindowFirst(2), outcomes | {(1,): np.ones(1)}, 4)
    assert WindowFirst(2).missing({}, 4) == WindowEnds(2).missing({}, 4) == windows(4, 2)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", window_readings())
def test_intervals_cover_the_true_value_nearly_as_often_as_they_say(estimator: str) -> None:
    """A percentile bootstrap is known to fall a little short of 95% at this many documents (92 to 96% here)."""
    rng = np.random.default_rng(11)
    rates = {r: 0.9 - 0.3 * (0 in r) - 0.1 * (1 in r) - 0.03 * (2 in r) - 0.05 * (r == (0, 1)) for r in windows(4, 2)}
    truth = estimate(named(estimator, 2), {r: np.full(2, rate) for r, rate in rates.items()}, 4, draws=2).phi

    def repeat(seed: int) -> Estimate:
        easy = rng.random(64)
        kept = {r: np.where(rng.random(64) < 0.8, easy, rng.random(64)) for r in rates}
        outcomes = {r: (luck < rates[r]).astype(float) for r, luck in kept.items()}
        return estimate(named(estimator, 2), outcomes, 4, draws=400, seed=seed)

    found = [repeat(seed) for seed in range(600)]
    covered = np.mean([(e.phi_low <= truth + 1e-9) & (truth - 1e-9 <= e.phi_high) for e in found], axis=0)
    assert (covered > 0.89).all()
    assert (covered < 0.985).all()


def test_of_units_that_tie_none_is_ahead_for_being_earlier() -> None:
    """Two units lose half of the documents, three lose the same quarter: one of these is in the top 3, by chance."""
    lost = [20, 20, 10, 10, 10, 0]
    outcomes = {(): np.ones(40), **{(u,): (np.arange(40) >= count).astype(float) for u, count in enumerate(lost)}}
    found = estimate(estimator_named("leave-one-out"), outcomes, len(lost))
    np.testing.assert_allclose(found.top3, [1, 1, 1 / 3, 1 / 3, 1 / 3, 0], atol=0.05)
    assert (found.rank_low[2:5].tolist(), found.rank_high[2:5].tolist()) == ([3, 3, 3], [5, 5, 5])


@given(st.integers(0, 2**32 - 1), st.integers(2, 15))
def test_a_value_that_is_zero_has_no_sign(seed: int, documents: int) -> None:
    """Weighted sums of outcomes of which the exact value is 0 are not always 0 in binary."""
    generator = np.random.default_rng(seed)
    outcomes = {removed: generator.integers(0, 2, documents).astype(float) for removed in windows(5, 3)}
    estimator = WindowFirst(3)
    found = estimate(estimator, outcomes, 5, draws=10)
    # A unit's terms are 1, 2 or 3, so six times a contribution is whole.
    exact = np.rint(6 * estimator.contributions(outcomes, 5)).astype(int).sum(axis=1)
    np.testing.assert_array_equal(np.sign(found.phi), np.sign(exact))
    assert (found.share[exact <= 0] > 0).sum() == 0


def test_a_unit_of_fewer_documents_is_no_more_certain_for_it() -> None:
    """An effect not seen yet may be as large as the largest contribution of any unit, also on documents it lacks."""
    rng = np.random.default_rng(0)
    outcomes = {INTACT: np.zeros(60), (0,): np.zeros(60), (1,): -5 - 3 * rng.random(60), (2,): -rng.random(60)}
    outcomes[(0,)][58:] = np.nan
    found = estimate(LeaveOneOut(), outcomes, 3)
    assert found.n.tolist() == [58, 60, 60]
    outcomes[(0,)][58:] = 0.0
    before = estimate(LeaveOneOut(), outcomes, 3)
    assert found.phi_high[0] > before.phi_high[0] > 0.3
