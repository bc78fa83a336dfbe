"""Documents are drawn in a random order that a seed tells, and stored ones are put in it again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.records.draw import Draw


@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 60))
def test_documents_are_put_in_the_order_of_their_draw(seed: int, size: int) -> None:
    draw = Draw(seed, size)
    drawn = draw.doc_ids()
    assert sorted(drawn) == list(range(size))
    some = sorted(drawn[: size // 2 + 1])
    assert [some[place] for place in draw.order(some)] == drawn[: size // 2 + 1]


def test_another_seed_is_another_order() -> None:
    assert Draw(0, 50).doc_ids() != Draw(1, 50).doc_ids()


def test_ids_beyond_the_data_and_twins_keep_their_order() -> None:
    first = Draw(3, 4).doc_ids()[0]
    assert Draw(3, 4).order(np.array([9, first, 7, first])).tolist() == [1, 3, 0, 2]
