"""The benchmark calls outcomes equal within the tolerance, apart from ties; NaN equals nothing."""

from __future__ import annotations

import math

import pytest

from core.bench.comparison import Comparison, same
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


def compared(*pairs: tuple[Outcome, Outcome]) -> Comparison:
    found = Comparison()
    for ours, theirs in pairs:
        found.add(ours, theirs, CHOICES)
    return found


def test_the_difference_is_no_smaller_for_what_is_no_number() -> None:
    two = compared((scored(-1.0, -2.0), scored(-1.25, -2.125)), (scored(-1.0, -2.0), scored(-1.0, -2.5)))
    assert (two.largest, two.median, two.equal) == (0.5, 0.1875, False)
    infinite = compared((scored(-math.inf, -2.0), scored(-math.inf, -2.125)))
    assert (infinite.largest, infinite.median) == (0.125, 0.0625)
    assert compared((scored(-1.0, math.nan), scored(-1.0, -2.0))).largest is None


def test_documents_with_another_metric_are_counted() -> None:
    one = scored(-1.0, -2.0)
    found = compared((one, one), (one, scored(-1.0, -2.0, acc=0.0)), (one, one))
    assert (found.differ, found.documents, found.equal) == (1, 3, False)
