"""Values derived from log-probabilities, against their definitions written out choice by choice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.values.derived import NO_GOLD, derive, derived_values, gold_of, is_derived


def by_definition(value: str, logprobs: list[float], gold: int) -> float:
    others = [one for choice, one in enumerate(logprobs) if choice != gold]
    total = sum(math.exp(one) for one in logprobs)
    p = [math.exp(one) / total for one in logprobs]
    return {
        "gold_logprob": logprobs[gold],
        "margin": logprobs[gold] - max(others),
        "brier": -sum((one - (choice == gold)) ** 2 for choice, one in enumerate(p)),
    }[value]


LOGPROBS = st.lists(st.floats(-60, -0.01), min_size=2, max_size=5)


@given(
    st.lists(st.tuples(LOGPROBS, st.integers(0, 4)), min_size=1, max_size=6), st.sampled_from(tuple(derived_values()))
)
def test_each_is_its_definition_however_many_choices_the_others_have(
    drawn: list[tuple[list[float], int]], value: str
) -> None:
    documents = [(logprobs, gold % len(logprobs)) for logprobs, gold in drawn]
    most = max(len(logprobs) for logprobs, _ in documents)
    padded = np.array([[*logprobs, *[math.nan] * (most - len(logprobs))] for logprobs, _ in documents])
    found = derive(value, padded, np.array([gold for _, gold in documents]))
    expected = [by_definition(value, logprobs, gold) for logprobs, gold in documents]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@given(LOGPROBS, st.data())
def test_larger_is_better_and_shifting_all_choices_moves_the_log_probability_alone(
    logprobs: list[float], data: st.DataObject
) -> None:
    gold = np.array([data.draw(st.integers(0, len(logprobs) - 1))])
    row = np.array([logprobs])
    better = row.copy()
    better[0, gold[0]] += 0.5
    for value in tuple(derived_values()):
        assert derive(value, better, gold) >= derive(value, row, gold)
    for value in ("margin", "brier"):
        np.testing.assert_allclose(derive(value, row - 3, gold), derive(value, row, gold), atol=1e-9)
    assert -2 <= derive("brier", row, gold)[0] <= 0


def test_what_is_impossible_is_not_finite_where_it_is_read() -> None:
    never = -math.inf
    rows = np.array([[never, -1.0], [-1.0, never], [never, never]])
    gold = np.array([0, 0, 0])
    np.testing.assert_array_equal(np.isfinite(derive("gold_logprob", rows, gold)), [False, True, False])
    np.testing.assert_array_equal(np.isfinite(derive("margin", rows, gold)), [False, False, False])
    np.testing.assert_allclose(derive("brier", rows, gold), [-2, 0, math.nan])


def test_a_document_without_one_right_answer_has_none() -> None:
    assert [gold_of(gold, choices) for gold, choices in (((1,), 2), ((0, 1), 2), ((), 2), ((0,), 1))] == [
        1,
        NO_GOLD,
        NO_GOLD,
        NO_GOLD,
    ]
    found = derive("margin", np.array([[-1.0, -2.0], [-1.0, -2.0]]), np.array([NO_GOLD, 0]))
    np.testing.assert_array_equal(found, [math.nan, 1.0])


@pytest.mark.parametrize(("metrics", "derived"), [(("acc",), True), (("acc", "brier"), False)])
def test_a_metric_of_the_tasks_own_comes_before_a_derived_one_of_its_name(
    metrics: tuple[str, ...], derived: bool
) -> None:
    assert is_derived("brier", metrics) is derived
    assert not is_derived("acc", metrics)
