"""Verdicts on the largest units: rarely wrong however often one looks, soon there where there is a gap, final."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statistics.evidence import BURN_IN
from core.statistics.verdicts import Race, Verdicts, next_look
from tests.support.drawn_contributions import windows_like

STUDY = ((0.8, 0.7, 0.6, 0.35, *[0.05] * 56), 3)
"""60 units, as a model of 30 layers has; the third and the fourth are a quarter apart."""


def decide(drawn: np.ndarray, k: int, span: float | None = 1.0) -> Verdicts:
    return Race(k, span=span).look(drawn)


def raced(worth: Sequence[float], k: int, every: int, documents: int, rng: np.random.Generator) -> tuple[int, bool]:
    """Return how many documents were used until all was decided, and whether a verdict was wrong."""
    drawn, race = windows_like(worth, documents, rng), Race(k, span=1.0)
    true = set(np.argsort(-np.array(worth), kind="stable")[:k])
    for n in range(every, documents + 1, every):
        found = race.look(drawn[:, :n])
        wrong = not set(found.units("in")) <= true or bool(set(found.units("out")) & true)
        if wrong or found.decided:
            return n, wrong
    return documents, False


def test_a_gap_is_found_with_a_part_of_the_documents_and_rarely_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    rng, trials, documents = np.random.default_rng(1), 60, 1000
    worth, k = STUDY
    used, wrong = np.array([raced(worth, k, 16, documents, rng) for _ in range(trials)]).T
    with capsys.disabled():
        print(
            f"\nverdicts, gap {worth[k - 1] - worth[k]:.2f}, {documents} documents: wrong {wrong.mean():.1%}, "
            f"used {used.mean() / documents:.0%} on average, {used.max() / documents:.0%} at most"
        )
    assert wrong.mean() <= 0.05
    assert used.mean() <= documents / 3
    assert used.max() < documents


@pytest.mark.parametrize(("worth", "k"), [((0.5, 0.49), 1), ((0.1, 0.095, 0.095), 1), ((0.6, 0.3, 0.29), 2)])
def test_hardly_a_gap_is_rarely_decided_wrongly_at_any_look(worth: tuple[float, ...], k: int) -> None:
    """An interval that is made for one look is wrong far more often."""
    rng, trials = np.random.default_rng(2), 150
    assert np.mean([raced(worth, k, 8, 400, rng)[1] for _ in range(trials)]) <= 0.05
    assert np.mean([naive(worth, k, 8, 400, rng) for _ in range(trials)]) > 0.1


def naive(worth: Sequence[float], k: int, every: int, documents: int, rng: np.random.Generator) -> bool:
    """Return whether a one-sided 95% interval, made for one look, is wrong when it first decides."""
    drawn = windows_like(worth, documents, rng)
    for n in range(max(every, BURN_IN), documents + 1, every):
        order = np.argsort(-drawn[:, :n].mean(axis=1), kind="stable")
        gap = drawn[order[k - 1], :n] - drawn[order[k], :n]
        if gap.mean() > 1.645 * gap.std() / math.sqrt(n):
            return set(order[:k]) != set(np.argsort(-np.array(worth), kind="stable")[:k])
    return False


@pytest.mark.parametrize("span", [None, 1.0])
def test_each_unit_has_a_verdict_before_all_have(span: float | None) -> None:
    found = decide(windows_like((0.9, 0.5, 0.4, 0.05, 0.05), 200, np.random.default_rng(3)), 2, span)
    assert found.standings == ("in", "open", "open", "out", "out")
    assert found.leaders[0] == 0
    assert not found.decided
    assert found.more_documents is not None
    more = windows_like((0.9, 0.5, 0.4, 0.05, 0.05), 200 + 4 * found.more_documents, np.random.default_rng(3))
    assert decide(more, 2, span).decided


@pytest.mark.parametrize("span", [None, 1.0])
def test_what_it_would_take_is_what_it_takes_of_the_same_documents_again(span: float | None) -> None:
    drawn = windows_like((0.5, 0.46, 0.1), 100, np.random.default_rng(3))
    found = decide(drawn, 1, span)
    assert found.more_documents
    needed = 100 + found.more_documents
    assert needed > 150
    again = np.tile(drawn, math.ceil(needed / 80))
    assert decide(again[:, : needed * 5 // 4], 1, span).decided
    assert not decide(again[:, : needed * 3 // 4], 1, span).decided


@pytest.mark.parametrize("span", [None, 1.0])
@pytest.mark.parametrize("value", [0.0, 0.25])
def test_ties_have_no_end_in_sight(value: float, span: float | None) -> None:
    found = decide(np.full((5, 500), value), 2, span)
    assert (found.units("open"), found.more_documents) == ((0, 1, 2, 3, 4), None)


def test_nothing_is_claimed_of_unbounded_values_before_the_burn_in() -> None:
    drawn = np.random.default_rng(5).normal(size=(4, BURN_IN)) / 100
    drawn[0] += 1.0
    assert decide(drawn[:, :-1], 1, None).units("open") == (0, 1, 2, 3)
    assert decide(drawn, 1, None).standings == ("in", "out", "out", "out")


def test_a_contribution_beyond_its_bounds_shows_that_there_are_none() -> None:
    drawn, race = np.random.default_rng(6).normal(size=(3, 200)) * 3, Race(1, span=1.0)
    drawn[0] += 2.0
    assert race.look(drawn).standings == decide(drawn, 1, None).standings
    within = drawn / np.abs(drawn).max()
    assert decide(within, 1).documents != decide(within, 1, None).documents, "bounds that hold are used"
    rounded, bounded = np.full((2, 40), 1 + 1e-15), Race(1, span=1.0)
    rounded[1] = 0.0
    assert bounded.look(rounded).standings == ("in", "out"), "a rounding error is within the bounds"


@pytest.mark.parametrize("worth", [0.07, 0.1, 0.3, 0.7])
def test_rounding_errors_tell_no_tied_units_apart(worth: float) -> None:
    base = np.random.default_rng(8).integers(0, 5, size=300).astype(float)
    drawn = np.stack([(base + worth * at) - (base + worth * (at - 1)) for at in range(1, 13)])
    assert np.ptp(drawn) > 0
    assert decide(drawn, 3, None).units("open") == tuple(range(12))


def test_what_is_decided_stays_decided_and_costs_no_document_more() -> None:
    worth, rng = (0.9, 0.5, 0.45, 0.05, 0.05), np.random.default_rng(7)
    drawn, race = windows_like(worth, 800, rng), Race(2, span=1.0)
    early = race.look(drawn[:, :208])
    assert early.standings == ("in", "open", "open", "out", "out")
    ragged = drawn.copy()
    ragged[[0, 3, 4], 208:] = np.nan
    late = race.look(ragged)
    assert [late.standings[unit] for unit in (0, 3, 4)] == ["in", "out", "out"]
    assert [late.documents[unit] for unit in (0, 3, 4)] == [early.documents[unit] for unit in (0, 3, 4)]
    assert max(early.documents[unit] for unit in (0, 3, 4)) <= 208
    assert decide(ragged, 2) == late, "stored outcomes say what the race said"


@given(st.integers(0, 10_000), st.lists(st.integers(1, 70), min_size=1, max_size=12), st.sampled_from([None, 4.0]))
def test_verdicts_follow_from_the_documents_however_they_arrive(
    seed: int, chunks: list[int], span: float | None
) -> None:
    rng = np.random.default_rng(seed)
    worth = rng.random((6, 1)) * rng.random()
    drawn = worth + rng.normal(size=(6, sum(chunks))) * 0.2
    race, raced, done = Race(2, span=span), np.full(drawn.shape, np.nan), 0
    unsettled = list(range(6))
    for chunk in chunks:
        raced[unsettled, done : done + chunk] = drawn[unsettled, done : done + chunk]
        done += chunk
        found = race.look(raced[:, :done])
        assert set(unsettled) >= set(found.units("open")), "what is decided stays decided"
        unsettled = list(found.units("open"))
    assert decide(raced, 2, span) == found, "outcomes that were stored tell what the race told"
    assert decide(drawn, 2, span).standings == found.standings, "a race decides what a run without one does"


def test_documents_that_come_late_for_some_units_are_looked_at_for_all() -> None:
    """Another run may have stored what some units need of many documents."""
    drawn = windows_like((0.9, 0.5, 0.4, 0.05, 0.05), 240, np.random.default_rng(9))
    ragged, race = drawn.copy(), Race(2, span=1.0)
    ragged[1:, 40:] = np.nan
    race.look(ragged)
    assert race.look(drawn) == decide(drawn, 2)


def test_a_document_that_loses_its_value_was_never_looked_at() -> None:
    drawn = windows_like((0.9, 0.5, 0.4, 0.05, 0.05), 208, np.random.default_rng(11))
    fewer, race = drawn.copy(), Race(2, span=1.0)
    race.look(drawn)
    fewer[:, 5:45] = np.nan
    assert race.look(fewer) == decide(fewer, 2) != decide(drawn, 2)


def test_a_document_without_a_value_is_passed_over() -> None:
    drawn = windows_like((0.9, 0.5, 0.05, 0.05), 208, np.random.default_rng(10))
    holes = np.insert(drawn, [3, 50], np.nan, axis=1)
    assert decide(holes, 2) == decide(drawn, 2)
    holes[0, 10] = np.nan
    assert decide(holes, 2).documents[0] < 208


def test_all_units_are_the_top_of_few() -> None:
    assert decide(np.ones((3, 1)), 3).standings == ("in", "in", "in")


def test_nothing_is_foreseen_from_a_few_documents() -> None:
    drawn = np.array([[1.0] * 8, [0.0] * 8])
    assert decide(drawn[:, :7], 1).more_documents is None
    assert decide(drawn, 1).more_documents


def test_looks_become_rarer() -> None:
    looks = [0]
    while looks[-1] < 600:
        looks.append(next_look(looks[-1]))
    assert looks == [0, *range(8, 128, 8), *range(128, 256, 16), *range(256, 512, 32), 512, 576, 640]
    assert [next_look(documents) for documents in (7, 8, 127, 130, 144, 511)] == [8, 16, 128, 144, 160, 512]


def test_no_document_decides_nothing_and_a_top_of_none_is_refused() -> None:
    assert decide(np.ones((3, 0)), 1).units("open") == (0, 1, 2)
    with pytest.raises(ValueError, match="at least one unit"):
        decide(np.ones((3, 4)), 0)


@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(1, 6), st.integers(1, 60))
def test_verdicts_leave_as_many_places_as_units_for_them(seed: int, units: int, k: int, documents: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.random((units, 1)) + rng.normal(size=(units, documents)) * rng.random() * 0.3
    found = decide(drawn, k, rng.choice([None, 4.0]))
    inside, unsettled = found.units("in"), found.units("open")
    assert len(inside) <= k
    assert len(inside) + len(unsettled) >= min(k, units)
    assert set(inside) <= set(found.leaders)
    assert set(found.leaders) <= {*inside, *unsettled}
    assert (found.more_documents == 0) == found.decided
    order = rng.permutation(units)
    moved = decide(drawn[order], k, None)
    assert sorted(order[list(moved.units("out"))]) == list(decide(drawn, k, None).units("out"))
