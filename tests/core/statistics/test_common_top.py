"""What two tops have in common: by hand with ties, and what must hold of any two rankings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statistics.common_top import in_common, top_parts

VALUES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=12)


def both(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    one, other = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    return one, other


def test_without_ties_it_counts() -> None:
    one, other = np.array([5.0, 4.0, 3.0, 2.0, 1.0]), np.array([0.9, 0.1, 0.8, 0.7, 0.2])
    assert in_common(one, other, 3) == 2
    assert in_common(one, other, 1) == 1
    assert in_common(one, -one, 2) == 0


def test_ties_for_the_last_places_share_them() -> None:
    # One is above, and three tie for two places.
    assert top_parts(np.array([2.0, 7.0, 2.0, 2.0, 0.0]), 3) == pytest.approx([2 / 3, 1, 2 / 3, 2 / 3, 0])
    assert in_common(np.array([2.0, 7.0, 2.0, 2.0, 0.0]), np.array([9.0, 8.0, 1.0, 0.0, 7.0]), 3) == pytest.approx(
        5 / 3
    )
    # A rounding error breaks no tie.
    assert top_parts(np.array([0.1 + 0.2, 0.3, 0.0]), 1) == pytest.approx([0.5, 0.5, 0])


@given(VALUES, st.integers(1, 3))
def test_parts_add_up_to_the_places(pairs: list[tuple[int, int]], k: int) -> None:
    one, _ = both(pairs)
    parts = top_parts(one, k)
    assert parts.sum() == pytest.approx(k)
    assert ((parts >= 0) & (parts <= 1)).all()


@given(VALUES, st.integers(1, 3), st.randoms(use_true_random=False))
def test_it_depends_on_rankings_alone(pairs: list[tuple[int, int]], k: int, random) -> None:
    one, other = both(pairs)
    found = in_common(one, other, k)
    assert 0 <= found <= k
    assert in_common(one, one, k) == pytest.approx(k)
    assert in_common(other, one, k) == pytest.approx(found)
    assert in_common(one**3 + one, 5 * other - 2, k) == pytest.approx(found)
    order = random.sample(range(len(one)), len(one))
    assert in_common(one[order], other[order], k) == pytest.approx(found)


@pytest.mark.parametrize("k", [0, 4])
def test_a_top_of_none_or_of_more_than_all_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"a top of {k} of 3 units"):
        top_parts(np.arange(3.0), k)
