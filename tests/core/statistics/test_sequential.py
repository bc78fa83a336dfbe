"""The stopping rule: rarely wrong however often one looks, soon done where there is a gap, open where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from core.statistics.sequential import BURN_IN, Verdict, decide

Rule = Callable[[np.ndarray, int], Verdict]

STUDY = ((0.8, 0.7, 0.6, 0.35, *[0.05] * 56), 3)
"""60 units, as a model of 30 layers has; the third and the fourth are a quarter apart."""


def contributions(worth: Sequence[float], documents: int, rng: np.random.Generator) -> np.ndarray:
    """Draw contributions like those of window-first, whose means are ``worth`` less some noise.

    Each is a mean of four differences of right answers, which are alike within a document.
    """
    shape = (len(worth), documents)
    own, found = rng.random(shape), np.zeros(shape)
    for _ in range(4):
        luck = np.where(rng.random(shape) < 0.7, own, rng.random(shape))
        found += (luck < np.array(worth)[:, None]).astype(float) - (rng.random(shape) < 0.03)
    return found / 4


def naive(drawn: np.ndarray, k: int) -> Verdict:
    """Decide by a one-sided 95% interval that is made for one look, between the k-th unit and the next."""
    order = np.argsort(-drawn.mean(axis=1), kind="stable")
    gap = drawn[order[k - 1]] - drawn[order[k]]
    decided = drawn.shape[1] >= BURN_IN and gap.mean() > 1.645 * gap.std() / np.sqrt(drawn.shape[1])
    return Verdict(tuple(order[:k]), bool(decided), (), 0)


def looked_at(
    worth: Sequence[float], k: int, every: int, documents: int, rng: np.random.Generator, rule: Rule = decide
) -> tuple[int, bool]:
    """Return how many documents were used until the first decision, and whether it was wrong."""
    drawn = contributions(worth, documents, rng)
    for n in range(every, documents + 1, every):
        verdict = rule(drawn[:, :n], k)
        if verdict.decided:
            return n, set(verdict.top) != set(np.argsort(-np.array(worth), kind="stable")[:k])
    return documents, False


def test_a_gap_is_found_with_a_quarter_of_the_documents_and_rarely_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    rng, trials, documents = np.random.default_rng(1), 60, 1000
    worth, k = STUDY
    used, wrong = np.array([looked_at(worth, k, 16, documents, rng) for _ in range(trials)]).T
    with capsys.disabled():
        print(
            f"\nstopping, gap {worth[k - 1] - worth[k]:.2f}, {documents} documents: wrong {wrong.mean():.1%}, "
            f"used {used.mean() / documents:.0%} on average, {used.max() / documents:.0%} at most"
        )
    assert wrong.mean() <= 0.05
    assert used.mean() <= documents / 4
    assert used.max() < documents


@pytest.mark.parametrize(("worth", "k"), [((0.5, 0.49), 1), ((0.1, 0.095, 0.095), 1), ((0.6, 0.3, 0.29), 2)])
def test_hardly_a_gap_is_rarely_decided_wrongly_at_any_look(worth: tuple[float, ...], k: int) -> None:
    """An interval that is made for one look is wrong far more often."""
    rng, trials = np.random.default_rng(2), 150
    wrong = [looked_at(worth, k, 8, 400, rng)[1] for _ in range(trials)]
    wrong_naively = [looked_at(worth, k, 8, 400, rng, naive)[1] for _ in range(trials)]
    assert np.mean(wrong) <= 0.05
    assert np.mean(wrong_naively) > 0.1


def test_who_is_left_undecided_is_named_with_what_it_takes() -> None:
    drawn = contributions((0.9, 0.5, 0.4, 0.05, 0.05), 200, np.random.default_rng(3))
    verdict = decide(drawn, 2)
    assert not verdict.decided
    assert verdict.top[0] == 0
    assert verdict.undecided == (1, 2)
    assert verdict.more_documents is not None
    more = contributions((0.9, 0.5, 0.4, 0.05, 0.05), 200 + 3 * verdict.more_documents, np.random.default_rng(3))
    assert decide(more, 2).decided


def test_what_it_would_take_is_what_it_takes_of_the_same_documents_again() -> None:
    drawn = contributions((0.5, 0.46, 0.1), 100, np.random.default_rng(3))
    verdict = decide(drawn, 1)
    assert verdict.more_documents
    times = (100 + verdict.more_documents) / 100
    assert times > 3
    assert decide(np.tile(drawn, math.ceil(times)), 1).decided
    assert not decide(np.tile(drawn, math.floor(times) - 1), 1).decided


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_ties_have_no_end_in_sight(value: float) -> None:
    verdict = decide(np.full((5, 500), value), 2)
    assert (verdict.decided, verdict.undecided, verdict.more_documents) == (False, (0, 1, 2, 3, 4), None)


def test_nothing_is_decided_before_the_burn_in() -> None:
    drawn = np.zeros((4, BURN_IN))
    drawn[0] = 1.0
    before = decide(drawn[:, :-1], 1)
    assert (before.decided, before.undecided, before.more_documents) == (False, (0, 1, 2, 3), 1)
    assert decide(drawn, 1).decided


def test_all_units_are_the_top_of_few() -> None:
    assert decide(np.ones((3, 1)), 3).decided


def test_no_document_decides_nothing() -> None:
    with pytest.raises(ValueError, match="got 0 documents"):
        decide(np.ones((3, 0)), 1)
