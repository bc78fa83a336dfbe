"""The greedy search on games that can be reasoned about, and what its rows say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.grouping import grouping
from core.coalitions.players import Removed, players_of
from core.errors import CornerstoneError
from core.removal_path.rows import PathContext, mean_of_means, path_rows
from core.removal_path.search import Evaluate, Measured, greedy_path, largest_step_within
from core.statistics.intervals import mean_interval, paired_drop

DOCUMENTS = 4


def constant(value: float) -> np.ndarray:
    return np.full(DOCUMENTS, value)


def additive(worth: Sequence[float], asked: list[list[Removed]] | None = None) -> Evaluate:
    """Each player is worth so much, whatever else is there; all are as likely to be right."""

    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, Measured]:
        if asked is not None:
            asked.append(list(coalitions))
        return {r: Measured((constant(-sum(worth[p] for p in r)),), (constant(0.0),)) for r in coalitions}

    return evaluate


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9, unique=True))
def test_of_an_additive_game_the_path_goes_from_the_least_worth_up(worth: list[int]) -> None:
    steps = list(greedy_path(additive(worth), [(p,) for p in range(len(worth))], len(worth) + 3))
    assert [step.unit for step in steps] == [None, *sorted(range(len(worth)), key=worth.__getitem__)]
    assert [step.removed for step in steps] == [
        tuple(sorted(s.unit for s in steps[1 : n + 1])) for n in range(len(steps))
    ]
    assert steps[-1].removed == tuple(range(len(worth)))


def test_every_candidate_left_is_tried_and_each_step_is_one_batch() -> None:
    asked: list[list[Removed]] = []
    steps = list(greedy_path(additive([3, 1, 2], asked), [(0,), (1,), (2,)], 2))
    assert asked == [[(), (0,), (1,), (2,)], [(0, 1), (1, 2)]]
    assert [(step.number, step.candidates, step.tied) for step in steps] == [(0, 0, 0), (1, 3, 1), (2, 2, 1)]


def test_units_of_several_players_go_together() -> None:
    units = [unit.members for unit in grouping("layers", players_of([("attn", "ffn")] * 3)).units]
    steps = list(greedy_path(additive([5, 5, 0, 1, 2, 2]), units, 2))
    assert [step.removed for step in steps] == [(), (2, 3), (2, 3, 4, 5)]


def test_a_player_is_looked_at_anew_after_each_removal() -> None:
    """Players 0 and 1 back each other up: either may go, then not the other."""

    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, Measured]:
        def value(removed: Removed) -> float:
            return 1 - 0.6 * ({0, 1} <= set(removed)) - 0.1 * (2 in removed)

        return {r: Measured((constant(value(r)),), (constant(float(-len(r))),)) for r in coalitions}

    assert [step.unit for step in greedy_path(evaluate, [(0,), (1,), (2,)], 3)] == [None, 1, 2, 0]


@pytest.mark.parametrize(
    ("logprobs", "gone"), [((-3.0, -1.0, -2.0), 1), ((-2.0, -2.0, -2.0), 2), ((np.nan, np.nan, np.nan), 2)]
)
def test_ties_go_by_the_right_answers_likelihood_then_to_the_later(logprobs: tuple[float, ...], gone: int) -> None:
    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, Measured]:
        return {r: Measured((constant(0.5),), (constant(logprobs[r[0]] if r else 0.0),)) for r in coalitions}

    step = list(greedy_path(evaluate, [(0,), (1,), (2,)], 1))[1]
    assert (step.unit, step.tied) == (gone, 3)


def test_every_task_counts_the_same_and_documents_without_a_value_are_left_out_for_all() -> None:
    large, small = np.array([1.0, 1.0, 0.0, np.nan]), np.array([0.0])

    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, Measured]:
        values = {
            (): (large, small),
            (0,): (np.array([1.0, 1.0, np.nan, 1.0]), small),  # 1 over the documents that both have
            (1,): (np.array([1.0, 0.0, 1.0, 0.0]), small + 1),
        }
        return {r: Measured(values[r], values[r]) for r in coalitions}

    assert list(greedy_path(evaluate, [(0,), (1,)], 1))[1].unit == 1


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.floats(0.05, 1))
def test_the_step_within_is_the_last_that_keeps_enough(scores: list[float], keep: float) -> None:
    step = largest_step_within(scores, keep)
    if step is None:
        assert all(score < keep * scores[0] for score in scores[1:])
    else:
        assert step > 0
        assert scores[step] >= keep * scores[0] - 1e-9
        assert all(score < keep * scores[0] for score in scores[step + 1 :])


def context(tasks: tuple[str, ...]) -> PathContext:
    units = grouping("sublayers", players_of([("attn", "ffn")]))
    return PathContext(
        "m", "id", tasks, "acc", units, tuple(0.5 for _ in tasks), lambda removed: (10 * len(removed), 100)
    )


def test_rows_of_one_task_have_its_paired_interval() -> None:
    before, after = np.array([1.0, 1, 0, 1, 1]), np.array([1.0, 0, 0, 0, 1])
    found = Measured((after,), (np.array([-1.0, -2, -3, -4, -5]),))
    steps = list(greedy_path(lambda sets: dict.fromkeys(sets, found), [(0,), (1,)], 1))
    (row,) = path_rows([steps[1]], [found], "held out", context(("a",)), Measured((before,), (before,)))
    drop, interval = paired_drop(before, after), mean_interval(after)
    assert interval is not None
    assert (row.n, row.intact, row.score, row.drop) == (5, 0.8, pytest.approx(0.4), pytest.approx(0.4))
    assert (row.drop_low, row.drop_high) == pytest.approx((drop.low, drop.high))
    assert (row.score_low, row.score_high) == pytest.approx(interval)
    assert (row.gold_logprob, row.chance, row.label) == (-3.0, 0.5, "FFN 0")
    assert (row.parameters_removed, row.parameters_total) == (10, 100)


def test_of_several_tasks_each_has_a_row_and_their_means_one() -> None:
    intact = Measured((np.ones(4), np.ones(2)), (constant(np.nan), np.zeros(2)))
    found = Measured((np.array([1.0, 0, 0, 1]), np.ones(2)), (constant(np.nan), np.zeros(2)))
    steps = list(greedy_path(lambda sets: dict.fromkeys(sets, intact), [(0,), (1,)], 1))
    one, other, mean = path_rows([steps[1]], [found], "held out", context(("a", "b")), intact)
    assert (one.tasks, other.tasks, mean.tasks) == (("a",), ("b",), ("a", "b"))
    assert (one.drop, other.drop, mean.drop) == (0.5, 0.0, 0.25)
    assert mean.n == 6
    assert mean.gold_logprob is None
    assert one.drop_low < mean.drop_low + 0.25
    assert mean.drop_low < 0.25 < mean.drop_high


@given(st.floats(-1, 1), st.floats(0, 1), st.integers(1, 6))
def test_the_mean_of_equal_parts_is_as_wide_as_one_over_their_root(estimate: float, half: float, count: int) -> None:
    mean, (low, high) = mean_of_means([(estimate, (estimate - half, estimate + half))] * count)
    assert mean == pytest.approx(estimate)
    assert (mean - low, high - mean) == pytest.approx((half / count**0.5, half / count**0.5), abs=1e-9)


def test_a_document_whose_value_is_not_finite_counts_as_one_without() -> None:
    """A removal may leave the right answer no probability at all."""
    fine, lost, worse = np.array([-1.0, -1.0]), np.array([-np.inf, -2.0]), np.array([-0.5, -3.0])
    intact, found, other = (Measured((values, values), (values, values)) for values in (fine, lost, worse))
    by_set = {(): intact, (0,): found, (1,): other}
    steps = list(greedy_path(lambda sets: {removed: by_set[removed] for removed in sets}, [(0,), (1,)], 1))
    assert steps[1].unit == 0
    rows = path_rows([steps[1]], [found], "held out", context(("a", "b")), intact)
    assert {(row.n, row.score, row.drop, row.gold_logprob) for row in rows[:2]} == {(1, -2.0, 1.0, -2.0)}


def test_a_candidate_without_a_value_spoils_no_other_and_does_not_go() -> None:
    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, Measured]:
        worth = {(): 0.0, (0,): -1.0, (1,): -9.0, (2,): np.nan}
        return {r: Measured((constant(worth[r]),), (constant(worth[r]),)) for r in coalitions}

    step = list(greedy_path(evaluate, [(0,), (1,), (2,)], 1))[1]
    assert (step.unit, step.tied) == (0, 1)


def test_a_task_without_likelihoods_leaves_the_tie_to_the_others() -> None:
    def evaluate(coalitions: Sequence[Removed]) -> Mapping[Removed, Measured]:
        likely = {(): 0.0, (0,): -1.0, (1,): -9.0}
        return {
            r: Measured((constant(1.0), constant(1.0)), (constant(likely[r]), constant(np.nan))) for r in coalitions
        }

    assert list(greedy_path(evaluate, [(0,), (1,)], 1))[1].unit == 0


def test_a_step_at_which_no_document_has_a_value_is_one_sentence() -> None:
    nothing, intact = (Measured((constant(worth),), (constant(worth),)) for worth in (-np.inf, -1.0))
    steps = list(greedy_path(lambda sets: {r: nothing if r else intact for r in sets}, [(0,)], 1))
    with pytest.raises(CornerstoneError, match=r"at step 1"):
        path_rows(steps[1:], [nothing], "held out", context(("a",)), intact)
