"""The benchmark calls outcomes equal within the tolerance, apart from ties; NaN equals nothing."""

from __future__ import annotations

import math

import pytest

from core.bench.comparison import difference, same
from core.records.records import Outcome

CHOICES = ("yes", "no")


def scored(*logprobs: float, acc: float = 1.0) -> Outcome:
    return Outcome("doc", (), logprobs, (False,) * len(logprobs), {"acc": acc}, {})


@pytest.mark.parametrize(
    ("ours", "theirs", "equal"),
    [
        (scored(-1.0, -2.0), scored(-1.0005, -2.0), True),
        (scored(-1.0, -2.0), scored(-1.01, -2.0), False),
        (scored(-300.0, -2.0), scored(-300.02, -2.0), True),
        (scored(-1.0, -2.0), scored(-1.0, -2.0, acc=0.0), False),
        (scored(-1.0, -1.0001), scored(-1.0001, -1.0, acc=0.0), True),
        (scored(-math.inf, -2.0, acc=0.0), scored(-math.inf, -2.0, acc=0.0), True),
        (scored(-1.0, -2.0), scored(-math.inf, -2.0), False),
        (scored(math.nan, -2.0), scored(-1.0, -2.0), False),
        (scored(math.nan, -2.0), scored(math.nan, -2.0), False),
    ],
)
def test_equal_is_within_the_tolerance_but_for_ties(ours: Outcome, theirs: Outcome, equal: bool) -> None:
    assert same(ours, theirs, CHOICES) == equal


def test_what_a_task_asks_besides_its_choices_is_no_choice() -> None:
    ours, theirs = scored(-5.0, -2.0, -9.0, -1.0), scored(-5.0, -2.0, -9.0, -1.0, acc=0.0)
    assert same(ours, ours, CHOICES)
    assert not same(ours, theirs, CHOICES)


def test_the_largest_difference_is_no_smaller_for_what_is_no_number() -> None:
    assert difference(scored(-1.0, -2.0), scored(-1.25, -2.125)) == 0.25
    assert difference(scored(-math.inf, -2.0), scored(-math.inf, -2.125)) == 0.125
    assert difference(scored(-1.0, math.nan), scored(-1.0, -2.0)) == math.inf
