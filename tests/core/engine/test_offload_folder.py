"""Weights that accelerate writes to the disk are one model's own: two that are loaded at once do not share them."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from core.engine.load import LoadedModel, load_model
from core.models.lookup import ModelSource


def test_each_loaded_model_has_a_folder_of_its_own(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = ModelSource("tiny", tiny_model_folder, "tiny", None)
    layers = {f"model.layers.{number}": "disk" for number in range(4)}
    device_map = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}

    def load() -> LoadedModel:
        return load_model(source, device_map={**device_map, **layers})

    def folders() -> int:
        gc.collect()
        return len(list((tmp_path / "cornerstone" / "offload").iterdir()))

    one = load()
    assert (one.offloaded, folders()) == (True, 1)
    other = load()
    assert (other.offloaded, folders()) == (True, 2)
    del one
    assert folders() == 1
    del other
    assert folders() == 0
