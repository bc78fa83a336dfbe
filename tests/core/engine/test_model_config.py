"""Settings of config.json that mean nothing do not keep a model from being loaded, and change no number."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from transformers import CONFIG_MAPPING, AutoConfig

from core.engine.decoder import Decoder
from core.engine.load import load_model
from core.engine.model_config import load_config
from core.engine.packing import TokenRequest, pack
from core.engine.sweep import sweep
from core.models.lookup import ModelSource
from tests.support.small_model import change_config, small_model, write_json

HARMLESS: dict[str, dict[str, Any]] = {
    "no quantization": {"quantization_config": {}},
    "quantization null": {"quantization_config": None},
    "no code of its own": {"auto_map": None},
    "an empty map": {"auto_map": {}},
    "a whole initializer_range": {"initializer_range": 1},
    "tuples as output": {"return_dict": False},
    "tuples as output by the old name": {"use_return_dict": False},
    "no fused modules": {"fusion_config": {}},
    "no way of attention": {"_attn_implementation": None, "experts_implementation": None},
    "weights of the usual name": {"transformers_weights": None},
    "all together": {"auto_map": None, "quantization_config": {}, "initializer_range": 0, "return_dict": False},
}


def scores(folder: Path) -> NDArray[np.float64]:
    loaded = load_model(ModelSource("small", folder, str(folder), None))
    row = pack([[TokenRequest((5, 6), (7,)), TokenRequest((8,), (9, 10))]], 99)
    return sweep(Decoder(loaded.model, loaded.layout), row, [(), (0,), (3,)], batch_tokens=64).logprobs


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float64]:
    return scores(small_model(tmp_path_factory.mktemp("truth") / "model"))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_means_nothing_changes_no_number(name: str, truth: NDArray[np.float64], tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, **HARMLESS[name])
    np.testing.assert_array_equal(scores(model), truth)


@pytest.mark.parametrize("key", ["rms_norm_eps", "rope_theta"])
def test_a_whole_number_is_the_fraction_of_the_same_size(key: str, tmp_path: Path) -> None:
    whole, fraction = small_model(tmp_path / "whole"), small_model(tmp_path / "fraction")
    change_config(whole, **{key: 1})
    change_config(fraction, **{key: 1.0})
    np.testing.assert_array_equal(scores(whole), scores(fraction))


def test_a_configuration_without_such_settings_is_loaded_as_transformers_loads_it(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    plain = AutoConfig.from_pretrained(model)
    assert load_config(model).to_dict() == plain.to_dict()
    change_config(model, rms_norm_eps=0, auto_map=None)
    mended = load_config(model)
    assert mended.name_or_path == plain.name_or_path
    assert mended.to_dict() == {**plain.to_dict(), "rms_norm_eps": 0.0}


@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2", *sorted(CONFIG_MAPPING)[::20]])
def test_whole_numbers_are_taken_for_fractions_in_any_architecture(name: str, tmp_path: Path) -> None:
    """Whatever transformers refuses as a whole number, and takes as a fraction, is loaded."""
    try:
        kind = CONFIG_MAPPING[name]
    except ImportError:
        return  # its library is not installed
    for field in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
        if field.name.startswith("_") or type(field.default) is not float:
            continue
        write_json(tmp_path / "config.json", {"model_type": name, field.name: 1.0})
        try:
            fraction = AutoConfig.from_pretrained(tmp_path)
        except Exception:  # noqa: BLE001 - transformers takes no 1.0 here, or not without other settings
            continue
        write_json(tmp_path / "config.json", {"model_type": name, field.name: 1})
        assert getattr(load_config(tmp_path), field.name) == getattr(fraction, field.name)


def test_parts_of_a_model_are_mended_too(tmp_path: Path) -> None:
    parts = {
        "text_config": {"model_type": "gemma3_text", "rms_norm_eps": 1, "return_dict": False},
        "vision_config": {"model_type": "siglip_vision_model", "layer_norm_eps": 0},
    }
    write_json(tmp_path / "config.json", {"model_type": "gemma3", **parts})
    config = load_config(tmp_path)
    assert type(config.text_config.rms_norm_eps) is float
    assert type(config.vision_config.layer_norm_eps) is float
