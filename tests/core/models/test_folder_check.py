"""Bad model folders are told apart from good ones by their headers and config.json alone."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import CornerstoneError
from core.models.folder_check import check_folder
from core.models.weight_headers import WeightHeader, read_weight_headers
from tests.support.bad_models import code_faults, config_faults
from tests.support.bad_weights import shard_faults, weight_faults
from tests.support.damaged_file import Change
from tests.support.small_model import CONFIG, LAYERS, WIDTH, change_config, small_model, small_weights

COUNTS = [key for key, value in CONFIG.items() if type(value) is int and not key.endswith("_token_id")]


def test_a_good_folder_passes_with_the_shapes_of_its_weights(tmp_path: Path) -> None:
    weights = check_folder(small_model(tmp_path / "model"))
    assert {name: one.shape for name, one in weights.items()} == {n: w.shape for n, w in small_weights().items()}
    assert weights["model.norm.weight"] == WeightHeader("F32", (WIDTH,))


@pytest.mark.parametrize("count", [0, -1, 0.5, 2.0, "2", True, [2], 2**63, 10**400], ids=lambda count: f"{count!a:.20}")
@pytest.mark.parametrize("key", COUNTS)
def test_counts_have_bounds_that_are_asked_before_anything_is_built(key: str, count: object, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, **{key: count})
    began = time.process_time()
    with pytest.raises(CornerstoneError, match=rf"config\.json: {key} is .*, but must be a whole number from 1 to"):
        check_folder(model)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("layers", [10_000_000, 999, 200])
def test_many_more_layers_than_the_weights_have_are_refused_at_once(layers: int, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, num_hidden_layers=layers)
    with pytest.raises(CornerstoneError, match=rf"num_hidden_layers is {layers}|asks for {layers} layers, .* hold 2"):
        check_folder(model)


def test_layers_within_the_weights_pass(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, num_hidden_layers=LAYERS)
    assert check_folder(model)


# What only loading tells: whether transformers has a use for a weight, and whether the parts suit each other.
_LATER = (
    "activation",
    "padding",
    "odd width",
    "rotation",
    "dtype",
    "ties",
    "setting named",
    "tokenizer",
    "slow tokenizer",
)
_LATER += ("more layers", "fewer layers", "one weight", "a bias", "a head", "an encoder", "a layer", "a weight less")
_LATER += ("no embedding", "no weights", "another shape", "index of one")
EARLY: dict[str, Change] = {
    name: change
    for name, change in {**code_faults(), **config_faults(), **weight_faults(), **shard_faults()}.items()
    if not name.startswith(_LATER)
}


@pytest.mark.parametrize("fault", EARLY)
def test_damage_and_foreign_code_are_refused_without_torch(fault: str, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    EARLY[fault](model)
    began = time.process_time()
    with pytest.raises(CornerstoneError) as raised:
        check_folder(model)
    assert time.process_time() - began < 10
    assert "\n" not in str(raised.value)
    assert str(model) in str(raised.value)


@pytest.mark.parametrize("fault", [name for name in EARLY if name.endswith("million values")])
def test_a_file_of_many_small_values_is_refused_before_they_fill_the_memory(fault: str, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    EARLY[fault](model)
    tracemalloc.start()
    try:
        with pytest.raises(CornerstoneError, match=r"more than .* values"):
            check_folder(model)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * 2**20


@pytest.mark.parametrize("dtype", ["float16", "float64", "int64", "uint8", "bool"])
def test_the_header_that_the_library_writes_is_read(dtype: str, tmp_path: Path) -> None:
    save_file({"a": np.zeros((3, 5), dtype), "b": np.zeros((), dtype), "c": np.zeros((0, 2), dtype)}, tmp_path / "x")
    found = read_weight_headers([tmp_path / "x"])
    assert {name: one.shape for name, one in found.items()} == {"a": (3, 5), "b": (), "c": (0, 2)}


def test_the_layers_of_encoders_have_the_same_bound(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, vision_config={"model_type": "siglip_vision_model", "num_hidden_layers": 1000})
    with pytest.raises(CornerstoneError, match="asks for 1000 layers, but the files beside it hold 2"):
        check_folder(model)
    change_config(model, vision_config={"model_type": "siglip_vision_model", "num_hidden_layers": 27})
    assert check_folder(model)


@pytest.mark.parametrize(
    "change", [{"num_hidden_layers": 10**7}, {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}}, {}]
)
def test_a_version_of_the_configuration_is_checked_too(change: dict[str, object], tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, configuration_files=["config.json", "config.5.0.0.json"])
    (model / "config.5.0.0.json").write_text(json.dumps({**CONFIG, **change}))
    if not change:
        assert check_folder(model)
        return
    with pytest.raises(CornerstoneError, match=r"config\.5\.0\.0\.json|needs code of its own"):
        check_folder(model)
