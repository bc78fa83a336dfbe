"""Rows pass layers in order, each device has a row of its own to work on, and no number depends on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.schedules import windows
from core.engine.decoder import Decoder
from core.engine.packing import pack
from core.engine.pipeline import waves
from core.engine.sweep import sweep_rows
from tests.core.engine.test_decoder import TOLERANCE, model_of, some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, WINDOW


@given(stages=st.lists(st.integers(1, 5), min_size=1, max_size=4), rows=st.integers(1, 6))
def test_every_row_passes_every_layer_in_order_once(stages: list[int], rows: int) -> None:
    passed: dict[int, list[int]] = {row: [] for row in range(rows)}
    for index, some in waves(stages, rows):
        for row in some:
            passed[row].append(index)
    assert all(layers == [*range(sum(stages))] for layers in passed.values())


def test_one_device_takes_all_rows_through_a_layer_before_the_next_one() -> None:
    assert list(waves([3], 2)) == [(0, range(2)), (1, range(2)), (2, range(2))]


def test_two_devices_have_different_rows_and_take_turns() -> None:
    found = [(index, *some) for index, some in waves([2, 2], 3)]
    assert found == [
        *((0, 0), (1, 0)),
        *((0, 1), (2, 0), (1, 1), (3, 0)),
        *((0, 2), (2, 1), (1, 2), (3, 1)),
        *((2, 2), (3, 2)),
    ]


@given(stages=st.lists(st.integers(1, 4), min_size=2, max_size=4), rows=st.integers(2, 6))
def test_the_first_device_begins_a_row_before_the_last_one_ends_the_row_before(stages: list[int], rows: int) -> None:
    order = [(index, some[0]) for index, some in waves(stages, rows)]
    last = sum(stages) - 1
    for row in range(1, rows):
        assert order.index((0, row)) < order.index((last, row - 1))


@pytest.mark.parametrize("stages", [[1, 1, 1, 1], [2, 2], [1, 3], [4]])
def test_scores_are_the_same_whatever_the_devices(stages: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("llama")
    assert sum(stages) == LAYERS
    rows, coalitions = [pack(some_documents(seed), WINDOW) for seed in (1, 2, 3)], windows(2 * LAYERS, 3)
    decoder = Decoder(model, layout_in_use(model))
    assert decoder.stages == [LAYERS]
    expected = sweep_rows(decoder, rows, coalitions, batch_tokens=64)
    monkeypatch.setattr(Decoder, "stages", property(lambda _: stages))
    parts: list[float] = []
    found = sweep_rows(decoder, rows, coalitions, batch_tokens=64, on_batch=parts.append)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=TOLERANCE)
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1.0)
