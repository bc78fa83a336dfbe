"""Tables 3 and 4 by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.paper.drops import mean_drop
from core.paper.resampling import resample
from core.statistics.intervals import score_half_width
from tests.support.paper_values import model, task

# Drops by player: .5, .25, -.25, 0 and 1, 0, .25, -.5.
FIRST = task("boolq", intact=[1, 1, 1, 0], ablated=[[0, 0, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1], [1, 1, 1, 0]])
SECOND = task("piqa", intact=[1, 1, 1, 1], ablated=[[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 1], [1.5, 1.5, 1.5, 1.5]])


def test_drops_are_averaged_over_layers_and_then_over_tasks() -> None:
    drawn = resample(model(FIRST, SECOND)).ablations
    cornerstone, others = mean_drop(drawn, {0}), mean_drop(drawn, {1, 2, 3})
    assert cornerstone is not None
    assert others is not None
    assert cornerstone.unclipped.estimate == pytest.approx((0.5 + 1) / 2)
    assert others.unclipped.estimate == pytest.approx(((0.25 - 0.25 + 0) / 3 + (0 + 0.25 - 0.5) / 3) / 2)
    assert others.clipped.estimate == pytest.approx(((0.25 + 0 + 0) / 3 + (0 + 0.25 + 0) / 3) / 2)


def test_nobody_has_no_drop() -> None:
    assert mean_drop(resample(model(FIRST)).ablations, set()) is None
    assert mean_drop(resample(model(task())).ablations, {0}) is None


def test_where_all_documents_agree_the_interval_is_not_a_point() -> None:
    agreeing = task(intact=[1] * 8, ablated=[[0] * 8, [1] * 8, [1] * 8, [1] * 8])
    for players in ({0}, {1, 2, 3}):
        found = mean_drop(resample(model(agreeing)).ablations, players)
        assert found is not None
        for measured in (found.clipped, found.unclipped):
            assert measured.low is not None
            assert measured.high is not None
            assert measured.low < measured.high


def test_a_gain_on_every_document_is_no_certain_zero_when_clipped() -> None:
    found = mean_drop(resample(model(task(intact=[0] * 8, ablated=[[1] * 8] * 4))).ablations, {0})
    assert found is not None
    assert (found.clipped.estimate, found.unclipped.estimate) == (0.0, -1.0)


def test_a_drop_of_what_is_no_score_in_0_to_1_is_not_cut_off_at_1() -> None:
    found = mean_drop(resample(model(task(intact=[5, 6], ablated=[[2, 2], [9, 9], [5, 6], [5, 6]]))).ablations, {0})
    assert found is not None
    assert (found.clipped.estimate, found.unclipped.estimate) == (3.5, 3.5)
    assert found.unclipped.high is not None
    assert found.unclipped.high > 3.5
    gained = mean_drop(resample(model(task(intact=[5, 6], ablated=[[9, 9]] * 4))).ablations, {0})
    assert gained is not None
    assert (gained.clipped.estimate, gained.unclipped.estimate) == (0, -3.5)


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_what_never_varied_may_be_off_by_as_much_as_any_player_is(scale: float) -> None:
    """Scores in [0, 1] may be off by 1, nats by the largest drop seen, as other documents may lose as much."""
    lost = np.array([1.0, 0, 0, 0, 0, 0, 0, 0]) * scale
    drawn = resample(model(task(intact=[0.0] * 8, ablated=[[0.0] * 8, (-lost).tolist(), *[[0.0] * 8] * 2])))
    found = mean_drop(drawn.ablations, {0})
    assert found is not None
    width = score_half_width(8) * scale
    assert (found.unclipped.low, found.unclipped.high) == (pytest.approx(-width), pytest.approx(width))
    assert drawn.ablations[0].drops.slack[0] == pytest.approx(width)
    assert drawn.ablations[0].drops.slack[1] == 0


def test_a_margin_that_happens_to_lie_within_0_to_1_is_not_held_there() -> None:
    low = replace(task(intact=[0.9], ablated=[[0.1]] * 4), value="margin")
    found = mean_drop(resample(model(low)).ablations, {0})
    assert found is not None
    assert found.unclipped.high is not None
    assert found.unclipped.high > 1
