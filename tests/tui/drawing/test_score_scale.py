from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.drawing.canvas import DOWN
from tui.drawing.score_scale import scale_of

_SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=8)


@given(_SCORES, st.integers(1, 60), st.booleans())
def test_every_score_has_a_place_and_more_is_higher(scores: list[float], rows: int, close: bool) -> None:
    scale = scale_of(scores, rows, close=close)
    places = [(scale.row(score), scale.dot(score)) for score in sorted(scores)]
    assert places == sorted(places, reverse=True)
    assert all(0 <= row < rows and 0 <= dot < DOWN * rows for row, dot in places)
    assert all(0 <= row < rows for row in scale.named)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (5, {0: "1", 1: ".75", 2: ".50", 3: ".25", 4: "0"}),
        (7, {0: "1", 3: ".50", 6: "0"}),
        (2, {0: "1", 1: "0"}),
        (1, {}),
    ],
)
def test_accuracies_are_named_at_equal_distances(rows: int, named: dict[int, str]) -> None:
    assert scale_of([0.4, 0.9], rows).named == named


def test_a_close_scale_begins_near_the_scores_and_names_round_numbers() -> None:
    scale = scale_of([0.52, 0.93], 4, close=True)
    assert (scale.low, scale.high) == pytest.approx((0.5, 0.95))
    assert scale.named == {1: ".75", 3: ".50"}
    assert (scale.dot(0.95), scale.dot(0.5)) == (0, 15)


def test_scores_that_are_no_accuracies_have_a_scale_of_their_own() -> None:
    scale = scale_of([-40.0, 10.0], 3)
    assert scale.named == {0: "10", 1: "-15", 2: "-40"}
    assert scale_of([0.0, 0.0], 1, close=True).row(0.0) == 0
