"""Interactions of neighbours: hand calculations, laws of the definition, intervals that cover."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.errors import CornerstoneError
from core.estimators.interactions import Interaction, interactions

PLAYERS = 5


def game(value: Callable[[Removed], np.ndarray], longest: int = 4) -> dict[Removed, np.ndarray]:
    return {removed: np.asarray(value(removed), dtype=np.float64) for removed in windows(PLAYERS, longest)}


def by_window(found: list[Interaction]) -> dict[Removed, Interaction]:
    return {tuple(range(one.first, one.first + one.size)): one for one in found}


def test_a_pair_and_a_triple_by_hand() -> None:
    table = {(): [1, 1, 1, 0], (0,): [1, 0, 1, 0], (1,): [1, 1, 0, 1], (2,): [0, 1, 1, 0], (0, 1): [0, 0, 0, 0]}
    table |= {(1, 2): [1, 1, 1, 1], (0, 1, 2): [0, 0, 0, 1]}
    found = interactions({key: np.array(row, dtype=np.float64) for key, row in table.items()}, 3, 3)
    assert [(one.size, one.first, one.n) for one in found] == [(2, 0, 4), (2, 1, 4), (3, 0, 4)]
    # v(N) = .75; the single drops are .25, 0 and .25; together (0, 1) lose .75, (1, 2) win .25, all three lose .5.
    assert [one.joint_drop for one in found] == [0.75, -0.25, 0.5]
    assert [one.effect for one in found] == [0.25 + 0 - 0.75, 0 + 0.25 + 0.25, 0.5 - 0.5]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_an_additive_game_has_none(seed: int) -> None:
    worth = np.random.default_rng(seed).normal(0, 3, (PLAYERS, 7))
    found = interactions(game(lambda removed: worth.sum(axis=0) - worth[list(removed)].sum(axis=0)), PLAYERS, 4)
    assert max(abs(one.effect) for one in found) < 1e-12
    assert all(one.low < 0 < one.high for one in found)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_it_is_minus_the_harsanyi_dividends_of_the_drops_of_two_players_or_more(seed: int) -> None:
    generator = np.random.default_rng(seed)
    value = {subset: generator.normal(0, 1, 3) for subset in _subsets(tuple(range(PLAYERS)))}
    drop = {subset: float((value[()] - value[subset]).mean()) for subset in value}
    dividend: dict[Removed, float] = {}
    for subset in sorted(value, key=len):
        dividend[subset] = drop[subset] - sum(dividend[part] for part in _subsets(subset) if part != subset)
    for window, one in by_window(interactions(game(value.__getitem__), PLAYERS, 4)).items():
        expected = -sum(dividend[part] for part in _subsets(window) if len(part) >= 2)
        assert one.effect == pytest.approx(expected, abs=1e-9)


def _subsets(of: Removed) -> list[Removed]:
    return list(chain.from_iterable(combinations(of, size) for size in range(len(of) + 1)))


def test_the_sign_says_whether_they_back_each_other_up_or_need_each_other() -> None:
    either = interactions(game(lambda removed: np.full(64, float(not {0, 1} <= set(removed)))), PLAYERS, 2)[0]
    both = interactions(game(lambda removed: np.full(64, float(not {0, 1} & set(removed)))), PLAYERS, 2)[0]
    assert (either.effect, either.joint_drop) == (-1, 1)
    assert either.high < 0
    assert (both.effect, both.joint_drop) == (1, 1)
    assert both.low > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_an_interval_holds_its_effect_has_width_and_stays_within_what_is_possible(
    seed: int, documents: int, right: float
) -> None:
    generator = np.random.default_rng(seed)
    for one in interactions(game(lambda _: generator.random(documents) < right), PLAYERS, 4):
        assert -one.size <= one.low <= one.effect <= one.high <= one.size
        assert one.high > one.low


@pytest.mark.parametrize("documents", [1, 2, 50])
def test_where_log_probabilities_never_vary_the_interval_still_has_width(documents: int) -> None:
    for one in interactions(game(lambda removed: np.full(documents, -7.1 * (1 + len(removed)))), PLAYERS, 4):
        assert one.low < one.effect < one.high


@pytest.mark.parametrize(("size", "flips"), [(2, 0.02), (2, 0.3), (4, 0.1)])
def test_intervals_cover(size: int, flips: float) -> None:
    """Each removed player flips a document's outcome with a small chance of its own."""
    generator = np.random.default_rng(size)
    documents, draws = 64, 400

    def outcomes(count: int) -> dict[Removed, np.ndarray]:
        intact = generator.random(count) < 0.6
        flipped = generator.random((size, count)) < flips
        return {
            removed: (intact ^ flipped[list(removed)].any(axis=0)).astype(np.float64) for removed in windows(size, size)
        }

    truth = interactions(outcomes(1_000_000), size, size)[-1].effect
    found = [interactions(outcomes(documents), size, size)[-1] for _ in range(draws)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.93


@pytest.mark.parametrize(("size", "tipped"), [(3, 0.05), (4, 0.05), (4, 0.1)])
def test_intervals_cover_where_any_removal_tips_a_document(size: int, tipped: float) -> None:
    generator = np.random.default_rng(size)

    def outcomes() -> dict[Removed, np.ndarray]:
        falls = generator.random(64) < tipped
        return {removed: np.where(falls & bool(removed), 0.0, 1.0) for removed in windows(size, size)}

    found = [interactions(outcomes(), size, size)[-1] for _ in range(600)]
    assert np.mean([one.low <= (size - 1) * tipped <= one.high for one in found]) >= 0.93


def test_intervals_of_log_probabilities_cover_also_on_few_documents() -> None:
    generator = np.random.default_rng(1)
    sets = windows(2, 2)
    found = [interactions({removed: generator.normal(-3, 1, 8) for removed in sets}, 2, 2)[0] for _ in range(400)]
    assert 0.93 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.98


def test_what_is_missing_is_one_sentence() -> None:
    known = game(lambda _: np.ones(3))
    with pytest.raises(CornerstoneError, match="windows of at least 2 players, not 1"):
        interactions(known, PLAYERS, 1)
    with pytest.raises(CornerstoneError, match="1 more coalitions"):
        interactions({key: row for key, row in known.items() if key != (1, 2)}, PLAYERS, 4)
    with pytest.raises(CornerstoneError, match="at least one document"):
        interactions({key: row[:0] for key, row in known.items()}, PLAYERS, 4)


def test_a_model_shorter_than_the_longest_window_has_what_there_is() -> None:
    known = {removed: np.ones(3) for removed in windows(2, 4)}
    assert [(one.size, one.first) for one in interactions(known, 2, 4)] == [(2, 0)]
