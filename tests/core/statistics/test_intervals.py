"""Intervals: published numbers, edges, coverage. Those of estimates: core/estimators/test_estimate.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statistics.intervals import (
    mean_interval,
    mean_se,
    paired_drop,
    proportion_interval,
    score_half_width,
    t_interval,
    tango_interval,
)
from core.statistics.mcnemar import mcnemar_p
from core.statistics.student_t import student_half_width

TRIALS = 2000


def paired_bits(
    rng: np.random.Generator, documents: int, intact_rate: float, ablated_rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """0/1 outcomes of one set of documents twice, alike because a document that is easy stays easy."""
    luck, other = rng.random((2, documents))
    easy = np.where(rng.random(documents) < 0.7, luck, other)
    return (luck < intact_rate).astype(float), (easy < ablated_rate).astype(float)


@pytest.mark.parametrize(
    ("lost", "won", "n", "low", "high"),
    [(1, 7, 21, -0.5172, -0.0260), (6, 16, 161, -0.1240, -0.0054)],
    ids=["Bentur et al. 2009", "Cavo et al. 2012"],
)
def test_tangos_interval_as_published(lost: int, won: int, n: int, low: float, high: float) -> None:
    """The worked examples of Fagerland, Lydersen & Laake, Statistical Analysis of Contingency Tables, chapter 8."""
    assert tango_interval(lost, won, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("lost", "won", "n"), [(5, 2, 30), (0, 3, 48), (12, 0, 12), (1, 0, 1)])
def test_tangos_bounds_are_where_the_score_test_turns(lost: int, won: int, n: int) -> None:
    """The constrained likelihood is maximized by brute force here, not by the closed form."""

    def statistic(delta: float) -> float:
        share_won = np.linspace(max(0.0, -delta), (1 - delta) / 2, 200_001)[1:-1]
        share_lost = share_won + delta
        rest = 1 - share_won - share_lost
        with np.errstate(divide="ignore"):
            logs = [
                count * np.log(share) if count else 0.0 * share
                for count, share in ((lost, share_lost), (won, share_won), (n - lost - won, rest))
            ]
        best = share_won[np.argmax(sum(logs))]
        return (lost - won - n * delta) / math.sqrt(n * (2 * best + delta - delta**2))

    low, high = tango_interval(lost, won, n)
    if high < 1:
        assert statistic(high) == pytest.approx(-1.95996, abs=2e-3)
    if low > -1:
        assert statistic(low) == pytest.approx(1.95996, abs=2e-3)
    assert min(high, -low) < 1


def test_more_confidence_is_wider() -> None:
    intact, ablated = np.array([1.0] * 20 + [0.0] * 4), np.array([1.0] * 9 + [0.0] * 15)
    narrow, wide = (paired_drop(intact, ablated, confidence) for confidence in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.drop < narrow.high < wide.high


@pytest.mark.parametrize(("intact", "ablated"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.3, 0.9), (0.0, 0.25)])
def test_one_document_says_little_but_not_nothing(intact: float, ablated: float) -> None:
    found = paired_drop(np.array([intact]), np.array([ablated]))
    assert found.drop == pytest.approx(intact - ablated)
    assert -1 <= found.low <= found.drop <= found.high <= 1
    assert 1 < found.high - found.low < 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 0.5))
def test_the_same_difference_everywhere_is_never_certain(values: list[float], fall: float) -> None:
    """Also where the differences are only the same up to rounding: x - (x - 0.1) is not 0.1."""
    intact = np.array(values)
    found = paired_drop(intact, intact - fall)
    width = score_half_width(len(intact))
    assert found.high >= found.drop + width * 0.99 or found.high == 1
    assert found.low <= found.drop - width * 0.99 or found.low == -1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_drops_of_scores_in_the_unit_range_stay_possible(pairs: list[tuple[float, float]]) -> None:
    intact, ablated = np.array(pairs).T
    found = paired_drop(intact, ablated)
    assert -1 <= found.low <= found.drop + 1e-12
    assert found.drop - 1e-12 <= found.high <= 1


def test_drops_of_other_values_are_students_and_unbounded() -> None:
    intact, ablated = np.array([10.0, 14.0, 12.0]), np.array([4.0, 6.0, 8.0])
    found = paired_drop(intact, ablated)
    assert found.drop == pytest.approx(6)
    assert found.high - found.drop == pytest.approx(4.30265 * 2 / math.sqrt(3), rel=1e-4)  # differences 6, 8, 4
    assert found.drop - found.low == pytest.approx(found.high - found.drop)  # symmetric as they are
    assert found.p_value is None


def test_an_interval_reaches_further_to_the_side_that_values_are_skewed_to() -> None:
    values = np.array([0.0] * 50 + [0.25] * 8 + [1.0] * 2)
    (low,), (high,) = t_interval(values[None], 0.95, 1.0)
    assert high - values.mean() > 1.2 * (values.mean() - low)
    (mirrored_low,), (mirrored_high,) = t_interval(-values[None], 0.95, 1.0)
    assert (-mirrored_high, -mirrored_low) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [(1, 7, 0.0703125), (6, 16, 0.052479), (0, 0, 1.0), (5, 5, 1.0), (0, 10, 2 / 1024), (4000, 4300, 0.00102974)],
)
def test_mcnemars_exact_test(lost: int, won: int, p: float) -> None:
    """Expected by scipy's binomial test."""
    assert mcnemar_p(lost, won) == mcnemar_p(won, lost) == pytest.approx(p, rel=1e-5)


def test_a_drop_of_right_answers_has_mcnemars_p() -> None:
    intact, ablated = np.array([1.0] * 10 + [0.0] * 7), np.array([1.0] * 4 + [0.0] * 12 + [1.0])
    assert paired_drop(intact, ablated).p_value == mcnemar_p(6, 1) == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1.0, 12.7062), (2.0, 4.30265), (3.0, 3.18245), (10.0, 2.22814), (63.0, 1.99834), (1e5, 1.95999)],
)
def test_students_quantiles_as_tabled(freedom: float, quantile: float) -> None:
    assert student_half_width(0.95, np.array([freedom])) == pytest.approx([quantile], rel=1e-5)


@pytest.mark.parametrize("documents", [0, 1])
def test_a_standard_error_needs_two_documents(documents: int) -> None:
    assert mean_se(np.ones(documents)) is None


def test_no_document_has_no_drop() -> None:
    with pytest.raises(ValueError, match="got 0"):
        paired_drop(np.empty(0), np.empty(0))


def test_agreeing_values_have_no_standard_error_at_all() -> None:
    assert mean_se(np.full(3, 0.1)) == 0.0  # not the 1.7e-17 that 0.1 + 0.1 + 0.1 leaves


def test_wilsons_interval_as_published() -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3."""
    for right, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        values = np.array([1.0] * right + [0.0] * (n - right))
        assert proportion_interval(values) == pytest.approx((low, high), abs=5e-5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_a_proportions_interval_holds_its_mean_and_has_width(values: list[float]) -> None:
    low, high = proportion_interval(np.array(values))
    assert 0 <= low <= np.mean(values) <= high <= 1
    assert high - low > 0.01


@pytest.mark.parametrize("values", [[], [0.5, 1.5], [-0.1], [math.nan]])
def test_what_is_no_proportion_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"all in \[0, 1\]"):
        proportion_interval(np.array(values))


@pytest.mark.parametrize("documents", [64, 128])
@pytest.mark.parametrize("rates", [(0.9, 0.3), (0.5, 0.45), (0.7, 0.7)])
def test_paired_drops_cover_as_often_as_they_say(documents: int, rates: tuple[float, float]) -> None:
    rng = np.random.default_rng(documents)
    drops = [paired_drop(*paired_bits(rng, documents, *rates)) for _ in range(TRIALS)]
    covered = np.mean([drop.low <= rates[0] - rates[1] <= drop.high for drop in drops])
    assert 0.93 < covered < 0.975


@pytest.mark.slow
def test_graded_drops_cover_nearly_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(TRIALS):
        intact = rng.beta(4, 2, 64)  # mean 2/3
        found = paired_drop(intact, intact * rng.beta(3, 1, 64))  # of which 3/4 remain
        hits += found.low <= 2 / 3 / 4 <= found.high
    assert 0.92 < hits / TRIALS < 0.975


def test_proportions_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    for rate in (0.5, 0.9):
        intervals = [proportion_interval((rng.random(64) < rate).astype(float)) for _ in range(TRIALS)]
        assert 0.92 < np.mean([low <= rate <= high for low, high in intervals]) < 0.985


def test_a_mean_has_wilsons_interval_within_0_to_1_and_a_normal_one_elsewhere() -> None:
    scores = np.array([0.0, 1.0, 1.0, 1.0])
    assert mean_interval(scores) == proportion_interval(scores)
    assert mean_interval(np.array([3.0, 5.0])) == pytest.approx((4 - 1.959964, 4 + 1.959964))
    assert mean_interval(np.array([3.0])) is None
    low, high = mean_interval(np.array([3.0, 3.0])) or (3, 3)
    assert low < 3 < high


@given(st.floats(1, 1e6))
def test_what_never_varies_is_as_uncertain_as_its_unit_is_small(factor: float) -> None:
    """Nats told in another unit have the same intervals in it, also where nothing varies."""
    rows = np.array([[2.0, 2.0, 2.0], [0.0, 0.0, 0.0], [0.0, 1.0, 5.0]])
    low, high = t_interval(rows, 0.95, 5.0)
    scaled_low, scaled_high = t_interval(rows * factor, 0.95, 5.0 * factor)
    assert scaled_low == pytest.approx(low * factor)
    assert scaled_high == pytest.approx(high * factor)
    assert high[1] == pytest.approx(5 * score_half_width(3))
