"""Verdicts on costs: rarely wrong however often one looks, soon there where a cost is clear, none where it is equal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.statistics.costs import CostRace, CostVerdicts
from core.statistics.evidence import BURN_IN
from tests.support.drawn_contributions import gaussian, rare, windows_like
from tests.support.racing_games import COSTS, cost_errors

WORTH = (0.8, 0.5, 0.1, *[0.02] * 17)


def look(drawn: np.ndarray, cost: float, span: float | None = 1.0) -> CostVerdicts:
    return CostRace(cost, span=span).look(drawn)


@pytest.mark.parametrize("span", [1.0, None])
def test_what_costs_more_and_what_less_is_told_with_few_documents(span: float | None) -> None:
    found = look(windows_like(WORTH, 300, np.random.default_rng(1)), 0.3, span)
    assert found.units("above") == (0, 1)
    assert found.units("below") == tuple(range(2, 20))
    assert (found.decided, found.more_documents) == (True, 0)
    assert max(found.documents) < 150
    assert found.means[0] == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("game", ["accuracy, 2% of documents, exactly as much", "accuracy, 2% to 50%, asked about 5%"])
def test_a_cost_is_rarely_told_wrongly_at_any_look(game: str) -> None:
    """The benchmark plays 1 000 games of every kind."""
    assert cost_errors(COSTS[game], 20).wrong <= 0.05


def test_an_interval_that_is_made_for_one_look_is_wrong_far_more_often() -> None:
    rng, wrong, naive = np.random.default_rng(2), 0, 0
    for _ in range(60):
        drawn = gaussian((0.5,) * 5, 400, rng)
        wrong += set(look(drawn, 0.5, None).standings) != {"open"}
        naive += any(
            (np.abs(drawn[:, :n].mean(axis=1) - 0.5) > 1.96 * drawn[:, :n].std(axis=1) / math.sqrt(n)).any()
            for n in range(BURN_IN, 401, 8)
        )
    assert wrong <= 3
    assert naive > 30


@pytest.mark.parametrize("span", [1.0, None])
def test_verdicts_follow_from_the_documents_however_many_come_at_once(span: float | None) -> None:
    drawn = windows_like(WORTH, 300, np.random.default_rng(3))
    whole = look(drawn, 0.3, span)
    for count in range(8, 301, 52):
        part = look(drawn[:, :count], 0.3, span)
        for unit, standing in enumerate(part.standings):
            if standing != "open":
                assert (standing, part.documents[unit]) == (whole.standings[unit], whole.documents[unit])


@pytest.mark.parametrize("span", [1.0, None])
def test_a_decided_unit_needs_no_further_documents(span: float | None) -> None:
    drawn = windows_like(WORTH, 300, np.random.default_rng(4))
    whole = look(drawn, 0.3, span)
    ended = drawn.copy()
    for unit, documents in enumerate(whole.documents):
        ended[unit, documents:] = np.nan
    again = look(ended, 0.3, span)
    assert (again.standings, again.documents) == (whole.standings, whole.documents)


def test_a_document_without_a_value_is_that_units_own_affair() -> None:
    drawn = windows_like(WORTH, 300, np.random.default_rng(5))
    holed = drawn.copy()
    holed[0, 3] = np.nan
    found, whole = look(holed, 0.3), look(drawn, 0.3)
    assert found.standings == whole.standings
    assert found.documents[1:] == whole.documents[1:]
    moved = np.delete(drawn[:1], 3, axis=1)
    assert look(holed, 0.3).documents[0] == CostRace(0.3, 1 - 0.05 / 20, 1.0).look(moved).documents[0]


def test_a_contribution_beyond_its_bounds_shows_that_there_are_none() -> None:
    drawn = np.random.default_rng(6).normal(size=(3, 200)) * 3 + 2.0
    assert look(drawn, 0.3).standings == look(drawn, 0.3, None).standings


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("span", [1.0, None])
def test_rounding_errors_are_no_evidence(value: float, span: float | None) -> None:
    drawn = np.full((2, 500), value) + np.random.default_rng(7).normal(size=(2, 500)) * 1e-16
    found = look(drawn, value, span)
    assert (found.units("open"), found.more_documents) == ((0, 1), None)


def test_what_it_would_take_is_what_it_takes_of_the_same_documents_again() -> None:
    drawn = rare((0.5, 0.35), 96, np.random.default_rng(8))
    found = look(drawn, 0.28)
    assert found.units("open") == (1,)
    assert found.more_documents is not None
    again = np.tile(drawn, 1 + math.ceil(found.more_documents / 96))
    assert look(again, 0.28).decided
    assert abs(look(again, 0.28).documents[1] - 96 - found.more_documents) <= 96


def test_a_cost_below_zero_asks_what_a_removal_gains() -> None:
    drawn = rare((0.4, 0.0), 300, np.random.default_rng(9)) * -1
    assert look(drawn, -0.1).standings == ("below", "above")


def test_without_documents_all_is_open_and_a_cost_beyond_the_range_is_no_question() -> None:
    found = look(np.empty((3, 0)), 0.3)
    assert (found.standings, found.documents, found.more_documents) == (("open",) * 3, (0, 0, 0), None)
    with pytest.raises(ValueError, match=r"no contribution is beyond 1\.0"):
        CostRace(1.0, span=1.0)
