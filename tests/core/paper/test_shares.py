"""Table 1 by hand, and what its intervals promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.paper.resampling import resample
from core.paper.shares import pooled_share, top_share
from tests.support.paper_values import model, task

# phi by player: .4, .2, .2, -.1, .1, 0 and .0, .3, .1, .4, -.2, .2 (each document twice the same).
FIRST = [[0.4, 0.4], [0.2, 0.2], [0.2, 0.2], [-0.1, -0.1], [0.1, 0.1], [0.0, 0.0]]
SECOND = [[0.0, 0.0], [0.3, 0.3], [0.1, 0.1], [0.4, 0.4], [-0.2, -0.2], [0.2, 0.2]]


def both() -> tuple:
    return resample(model(task("boolq", contributions=FIRST), task("piqa", contributions=SECOND), players=6)).shapley


def test_shares_are_taken_per_task_and_then_averaged() -> None:
    found = top_share(both())
    assert found.clipped is not None
    assert found.unclipped is not None
    assert found.clipped.estimate == pytest.approx((0.8 / 0.9 + 0.9 / 1.0) / 2)
    assert found.unclipped.estimate == pytest.approx((0.8 / 0.8 + 0.9 / 0.8) / 2)
    # Mean shares: (.4/.9, (.2/.9 + .3) / 2, (.2/.9 + .1) / 2, .4 / 2, .1/.9/2, .2 / 2).
    assert found.players == (1, 0, 3)


def test_pooled_values_are_averaged_before_the_share() -> None:
    found = pooled_share(both())
    # .2, .25, .15, .15, -.05, .1
    assert found.clipped is not None
    assert found.unclipped is not None
    assert found.clipped.estimate == pytest.approx(0.6 / 0.85)
    assert found.unclipped.estimate == pytest.approx(0.6 / 0.8)
    assert found.players == (1, 0, 2)


def test_without_a_positive_value_there_is_no_share() -> None:
    drawn = resample(model(task(contributions=[[-0.1, -0.3]] * 4))).shapley
    assert (top_share(drawn).clipped, top_share(drawn).unclipped) == (None, None)


def test_nobody_is_at_the_top_for_being_early_among_zeros() -> None:
    drawn = resample(model(task(contributions=[[0.0] * 4, [0.0] * 4, [-0.1] * 4, [0.5] * 4]))).shapley
    assert (top_share(drawn).players, pooled_share(drawn).players) == ((3,), (3,))
    nothing = resample(model(task(contributions=[[0.0] * 4] * 4))).shapley
    assert (top_share(nothing).players, pooled_share(nothing).players) == ((), ())


def test_what_rounding_leaves_of_zero_is_no_share() -> None:
    """.1 + .1 + .1 - .3 is no 0 in binary."""
    drawn = resample(model(task(contributions=[[0.1, 0.1, 0.1, -0.3], *[[-0.1] * 4] * 3]))).shapley
    assert drawn[0].phi.means[0] == 0
    assert (top_share(drawn).clipped, top_share(drawn).players) == (None, ())


def test_a_sum_that_may_be_zero_leaves_the_unclipped_share_without_bounds() -> None:
    generator = np.random.default_rng(0)
    noise = generator.normal(0.001, 0.3, (8, 20))
    found = top_share(resample(model(task(contributions=noise.tolist()), players=8)).shapley).unclipped
    assert found is None or (found.low, found.high) == (None, None)


@given(st.integers(1, 12), st.integers(0, 10_000))
def test_intervals_hold_their_estimate_and_are_never_a_point(documents: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.integers(-4, 5, (6, documents)) / 4
    found = top_share(resample(model(task(contributions=values.tolist()), players=6), draws=200).shapley).clipped
    if found is None:
        assert (values.mean(axis=1) <= 0).all()
        return
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.low < found.high


def test_the_interval_says_what_as_many_other_documents_would_give() -> None:
    """Noise takes from the clipped share; its interval covers what samples of this size give on average."""
    generator = np.random.default_rng(3)
    phi = np.array([0.12, 0.09, 0.07, *np.full(13, 0.004)])
    samples = [phi[:, None] + generator.normal(0, 0.2, (16, 60)) for _ in range(150)]
    drawn = [top_share(resample(model(task(contributions=s.tolist()), players=16), draws=200).shapley) for s in samples]
    found = [share.clipped for share in drawn if share.clipped is not None]
    expected = np.mean([each.estimate for each in found])
    covered = [each.low <= expected <= each.high for each in found if each.low is not None and each.high is not None]
    assert len(covered) == 150
    assert np.mean(covered) > 0.85
