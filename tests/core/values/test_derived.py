"""Values derived from log-probabilities, against their definitions written out choice by choice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.values.derived import NO_GOLD, Answers, derive, derived_values, gold_of, is_derived


def by_definition(value: str, logprobs: list[float], lengths: list[int], gold: int) -> float:
    total = sum(math.exp(one) for one in logprobs)
    p = [math.exp(one) / total for one in logprobs]
    normed = [one / length for one, length in zip(logprobs, lengths, strict=True)]
    others = [choice for choice in range(len(logprobs)) if choice != gold]
    return {
        "gold_logprob": logprobs[gold],
        "gold_logprob_norm": normed[gold],
        "gold_prob": p[gold],
        "margin": logprobs[gold] - max(logprobs[choice] for choice in others),
        "margin_norm": normed[gold] - max(normed[choice] for choice in others),
        "brier": -sum((one - (choice == gold)) ** 2 for choice, one in enumerate(p)),
    }[value]


CHOICES = st.lists(st.tuples(st.floats(-60, -0.01), st.integers(1, 40)), min_size=2, max_size=5)


@given(
    st.lists(st.tuples(CHOICES, st.integers(0, 4)), min_size=1, max_size=6),
    st.integers(0, 2),
    st.sampled_from(tuple(derived_values())),
)
def test_each_is_its_definition_however_many_choices_the_others_have(
    drawn: list[tuple[list[tuple[float, int]], int]], beyond: int, value: str
) -> None:
    documents = [([one for one, _ in of], [length for _, length in of], gold % len(of)) for of, gold in drawn]
    most = max(len(logprobs) for logprobs, _, _ in documents) + beyond
    padded = np.array([[*logprobs, *[-1.0] * (most - len(logprobs))] for logprobs, _, _ in documents])
    found = derive(value, padded, Answers.of([((gold,), lengths) for _, lengths, gold in documents]))
    np.testing.assert_allclose(found, [by_definition(value, *one) for one in documents], rtol=1e-9, atol=1e-12)


@given(CHOICES, st.data())
def test_larger_is_better_and_shifting_all_choices_moves_the_log_probability_alone(
    choices: list[tuple[float, int]], data: st.DataObject
) -> None:
    gold = data.draw(st.integers(0, len(choices) - 1))
    answers = Answers.of([((gold,), [length for _, length in choices])])
    row = np.array([[one for one, _ in choices]])
    better = row.copy()
    better[0, gold] += 0.5
    for name in derived_values():
        assert derive(name, better, answers) >= derive(name, row, answers)
    for name, low, high in (("brier", -2, 0), ("gold_prob", 0, 1)):
        assert low <= derive(name, row, answers)[0] <= high
    for name in ("margin", "brier", "gold_prob"):
        np.testing.assert_allclose(derive(name, row - 3, answers), derive(name, row, answers), atol=1e-9)


@given(CHOICES, st.integers(0, 4))
def test_the_right_choice_is_above_the_others_by_the_margin_that_lm_eval_compares(
    choices: list[tuple[float, int]], drawn: int
) -> None:
    gold = drawn % len(choices)
    logprobs, lengths = np.array([one for one, _ in choices]), np.array([float(length) for _, length in choices])
    answers = Answers.of([((gold,), [length for _, length in choices])])
    for name, compared in (("margin", logprobs), ("margin_norm", logprobs / lengths)):
        (margin,) = derive(name, logprobs[None], answers)
        if margin != 0:
            assert (margin > 0) == (np.argmax(compared) == gold)


def test_what_is_impossible_is_not_finite_where_it_is_read() -> None:
    never = -math.inf
    rows = np.array([[never, -1.0], [-1.0, never], [never, never]])
    gold = Answers.of([((0,), (3, 5))] * 3)
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
    found = derive("margin", np.array([[-1.0, -2.0], [-1.0, -2.0]]), Answers.of([((0, 1), (1, 1)), ((0,), (1, 1))]))
    np.testing.assert_array_equal(found, [math.nan, 1.0])


@pytest.mark.parametrize(("metrics", "derived"), [(("acc",), True), (("acc", "brier"), False)])
def test_a_metric_of_the_tasks_own_comes_before_a_derived_one_of_its_name(
    metrics: tuple[str, ...], derived: bool
) -> None:
    assert is_derived("brier", metrics) is derived
    assert not is_derived("acc", metrics)
