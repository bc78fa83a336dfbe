"""A thread fetches the weights of the next layer, once; no number depends on it, and its faults cost nothing."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.coalitions.schedules import windows
from core.engine import ahead as ahead_module
from core.engine.ahead import THREAD, Ahead
from core.engine.decoder import Decoder
from core.engine.load import LoadedModel, load_model
from core.engine.offloaded import brought_in, is_out
from core.engine.packing import pack
from core.engine.sweep import sweep
from core.models.lookup import ModelSource
from tests.core.engine.test_decoder import TOLERANCE, some_documents
from tests.support.tiny_models import WINDOW

_ENDS = ("model.embed_tokens", "model.rotary_emb", "model.norm", "lm_head")
ROW = pack(some_documents(1), WINDOW)
COALITIONS = windows(8, 2)


def source(folder: Path) -> ModelSource:
    return ModelSource("tiny", folder, "tiny", None)


@pytest.fixture
def on_disk(tiny_model_folder: Path) -> LoadedModel:
    places = {**dict.fromkeys(_ENDS, "cpu"), **{f"model.layers.{index}": "disk" for index in range(4)}}
    return load_model(source(tiny_model_folder), device_map=places)


@pytest.fixture(scope="module")
def expected(tiny_model_folder: Path) -> Any:
    model = load_model(source(tiny_model_folder), device="cpu")
    return sweep(model.decoder(), ROW, COALITIONS, batch_tokens=64).logprobs


class Watched:
    """A map of weights that tells which thread reads them."""

    def __init__(self, kept: Any, heard: Counter[tuple[str, bool]], layer: int) -> None:
        self.kept, self.heard, self.layer = kept, heard, layer

    def __getitem__(self, name: str) -> torch.Tensor:
        self.heard[f"{self.layer} {name}", threading.current_thread().name.startswith(THREAD)] += 1
        return self.kept[name]  # type: ignore[no-any-return]

    def __contains__(self, name: object) -> bool:
        return name in self.kept


def watched(model: LoadedModel) -> Counter[tuple[str, bool]]:
    heard: Counter[tuple[str, bool]] = Counter()
    for index, layer in enumerate(model.model.model.layers):
        for module in layer.modules():
            if is_out(module):
                hook = module._hf_hook
                hook.weights_map = Watched(hook.weights_map, heard, index)
    return heard


def layers_of(heard: Counter[tuple[str, bool]], *, ahead: bool) -> set[int]:
    return {int(name.split()[0]) for name, by_thread in heard if by_thread == ahead}


def test_every_layer_but_the_first_is_fetched_ahead_and_once(on_disk: LoadedModel, expected: Any) -> None:
    heard = watched(on_disk)
    found = sweep(on_disk.decoder(), ROW, COALITIONS, batch_tokens=64).logprobs
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert layers_of(heard, ahead=False) == {0}
    assert layers_of(heard, ahead=True) == {1, 2, 3}
    assert len({name for name, _ in heard}) == len(heard)
    assert all(weight.is_meta for weight in on_disk.model.model.layers.parameters())


@pytest.mark.parametrize("fault", [MemoryError("full"), OSError("gone"), torch.OutOfMemoryError("full")])
def test_what_cannot_be_fetched_ahead_is_fetched_when_it_is_needed(
    on_disk: LoadedModel, expected: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def faulty(*_: object) -> torch.Tensor:
        raise fault

    monkeypatch.setattr(ahead_module, "_read", faulty)
    heard = watched(on_disk)
    found = sweep(on_disk.decoder(), ROW, COALITIONS, batch_tokens=64).logprobs
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert layers_of(heard, ahead=False) == {0, 1, 2, 3}


def test_nothing_is_fetched_ahead_where_memory_is_short(
    on_disk: LoadedModel, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "free_memory", lambda: 1000)
    heard = watched(on_disk)
    found = sweep(on_disk.decoder(), ROW, COALITIONS, batch_tokens=64).logprobs
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert layers_of(heard, ahead=True) == set()


def test_a_sweep_inside_another_one_disturbs_neither(on_disk: LoadedModel, expected: Any) -> None:
    decoder, inner = on_disk.decoder(), []

    def interrupt(part: float) -> None:
        if part > 0.4 and not inner:
            inner.append(None)
            inner[0] = sweep(decoder, ROW, COALITIONS, batch_tokens=64).logprobs

    outer = sweep(decoder, ROW, COALITIONS, batch_tokens=64, on_batch=interrupt).logprobs
    np.testing.assert_allclose(outer, expected, atol=TOLERANCE)
    np.testing.assert_allclose(inner[0], expected, atol=TOLERANCE)
    assert all(weight.is_meta for weight in on_disk.model.model.layers.parameters())


def test_a_sweep_that_ends_early_leaves_no_thread_and_no_weights(on_disk: LoadedModel, expected: Any) -> None:
    def stop(part: float) -> None:
        if part > 0.4:
            raise KeyboardInterrupt

    decoder = on_disk.decoder()
    with pytest.raises(KeyboardInterrupt):
        sweep(decoder, ROW, COALITIONS, batch_tokens=64, on_batch=stop)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(THREAD)]
    assert all(weight.is_meta for weight in on_disk.model.model.layers.parameters())
    found = sweep(decoder, ROW, COALITIONS, batch_tokens=64).logprobs
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_another_layer_than_the_next_is_fetched_when_it_is_needed(on_disk: LoadedModel) -> None:
    layers = on_disk.decoder()._layers
    ahead = Ahead(layers)
    with ahead.fetching():
        ahead.begin(2)
        assert ahead.taken(1) == {}
        assert ahead.taken(2) == {}  # it was given up
        ahead.begin(2)
        fetched = ahead.taken(2)
        with brought_in(layers[2].modules(), fetched):
            there = {weight.data_ptr() for weight in layers[2].parameters()}
        assert there == {tensor.data_ptr() for each in fetched.values() for tensor in each.values()}
        ahead.begin(4)
        assert ahead.taken(4) == {}
    ahead.begin(0)
    assert ahead.taken(0) == {}


def test_a_model_in_memory_has_nothing_to_fetch(tiny_model_folder: Path) -> None:
    decoder: Decoder = load_model(source(tiny_model_folder), device="cpu").decoder()
    with decoder.fetching_ahead(), decoder.loaded(0):
        assert decoder._ahead.taken(1) == {}
