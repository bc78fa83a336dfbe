"""While weights are loaded it is told how many of their bytes are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.fetch import find_model
from core.engine.load import load_model
from core.errors import CornerstoneError
from core.models.weight_headers import read_weight_headers


@pytest.mark.slow
def test_bytes_are_told_from_none_to_all(tiny_model_folder: Path) -> None:
    told: list[tuple[int, int]] = []
    source = find_model(str(tiny_model_folder), revision=None, offline=True, narrate=print)
    load_model(source, told=lambda done, total: told.append((done, total)))
    weights = read_weight_headers([tiny_model_folder / "model.safetensors"])
    total = sum(weight.bytes for weight in weights.values())
    assert {one for _, one in told} == {total}
    done = [one for one, _ in told]
    assert done == sorted(done)
    assert done[0] == 0
    assert total - max(weight.bytes for weight in weights.values()) <= done[-2] < total == done[-1]


def test_a_model_can_be_given_up_while_it_is_loaded(tiny_model_folder: Path) -> None:
    def enough(done: int, _total: int) -> None:
        if done:
            raise InterruptedError("enough")

    source = find_model(str(tiny_model_folder), revision=None, offline=True, narrate=print)
    with pytest.raises(CornerstoneError, match="enough"):
        load_model(source, told=enough)
    load_model(source)
