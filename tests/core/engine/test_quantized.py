"""Quantized weights are read as transformers reads them, or refused with the library that they need."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from core.engine import onednn
from core.engine.load import load_model
from core.engine.open_model import open_weights, read_config
from core.engine.same_model import refuse_far_larger, refuse_other_weights
from core.errors import CornerstoneError
from core.models import quantization
from core.models.folder_check import check_folder
from core.models.lookup import ModelSource, look_up
from core.models.quantization import as_loaded
from core.records.fingerprint import model_fingerprint
from tests.support import quantized
from tests.support.adapters import save_adapter
from tests.support.small_model import change_config, small_model

TOKENS = torch.arange(12)[None] * 7 + 3


def needs(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed, so nothing can be quantized by it")


def opened(folder: Path) -> PreTrainedModel:
    """Open a folder by the steps of ``load_model``, whatever layers the model has."""
    weights = check_folder(folder)
    config = read_config(folder)
    refuse_far_larger(config, folder, sum(weight.size for weight in weights.values()))
    model, found = open_weights(folder, config, dtype=torch.float32, use_safetensors=True)
    refuse_other_weights(config, folder, found)
    return model


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=TOKENS).logits


@pytest.mark.parametrize("write", [quantized.fp8, quantized.mxfp4], ids=lambda write: write.__name__)
def test_weights_that_are_dequantized_have_their_values(
    write: Callable[[Path], PreTrainedModel], tmp_path: Path
) -> None:
    truth = write(tmp_path)
    model = opened(tmp_path)
    assert logits(model).dtype == torch.float32
    torch.testing.assert_close(logits(model), logits(truth), atol=1e-5, rtol=1e-5)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_the_size_of_mxfp4_in_memory_is_that_of_its_numbers(tmp_path: Path) -> None:
    truth = quantized.mxfp4(tmp_path)
    weights = check_folder(tmp_path)
    config = {"quantization_config": {"quant_method": "mxfp4"}}
    scales = sum(weight.size for name, weight in weights.items() if name.endswith("_scales"))
    held = sum(weight.size for weight in as_loaded(weights, config))
    assert held - scales == sum(parameter.numel() for parameter in truth.parameters())
    assert as_loaded(weights, {}) == [*weights.values()]


@pytest.mark.parametrize(
    ("write", "scale"),
    [
        (quantized.fp8, "model.layers.0.mlp.up_proj.weight_scale_inv"),
        (quantized.mxfp4, "model.layers.0.mlp.experts.down_proj_scales"),
    ],
    ids=["fp8", "mxfp4"],
)
def test_scales_that_are_missing_or_of_other_blocks_are_refused(
    write: Callable[[Path], PreTrainedModel], scale: str, tmp_path: Path
) -> None:
    write(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    wrong = weights[scale].repeat(*[1] * (weights[scale].dim() - 1), 2)
    for changed, said in (
        ({name: weight for name, weight in weights.items() if name != scale}, "it holds no scales of model.layers.0"),
        ({**weights, scale: wrong}, r"the scales of model\.layers\.0.* have the shape"),
    ):
        save_file(changed, file, metadata={"format": "pt"})
        with pytest.raises(CornerstoneError, match=said):
            check_folder(tmp_path)


def test_blocks_of_another_size_than_the_config_says_are_refused(tmp_path: Path) -> None:
    quantized.fp8(tmp_path)
    change_config(tmp_path, quantization_config={"quant_method": "fp8", "weight_block_size": [16, 32]})
    with pytest.raises(CornerstoneError, match=r"and its config\.json asks for \[4, \d\]"):
        check_folder(tmp_path)


BITSANDBYTES: list[dict[str, Any]] = [
    {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": True},
    {"load_in_8bit": True},
]
COMPRESSED: list[dict[str, Any]] = [
    {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "inputs": False},
    {"num_bits": 8, "type": "int", "strategy": "channel", "inputs": False},
    {"num_bits": 8, "type": "int", "strategy": "channel", "inputs": True},
    {"num_bits": 8, "type": "float", "strategy": "channel", "inputs": True},
]


@pytest.mark.parametrize("settings", BITSANDBYTES, ids=str)
def test_bitsandbytes_gives_what_it_gives_alone(settings: dict[str, Any], tmp_path: Path) -> None:
    needs("bitsandbytes")
    truth = quantized.bitsandbytes(tmp_path / "model", **settings)
    loaded = load(tmp_path / "model")
    torch.testing.assert_close(logits(loaded), logits(truth))


@pytest.mark.parametrize("settings", COMPRESSED, ids=str)
def test_compressed_tensors_give_what_they_give_uncompressed(settings: dict[str, Any], tmp_path: Path) -> None:
    needs("compressed_tensors")
    truth = quantized.compressed_tensors(tmp_path / "model", **settings)
    model = load(tmp_path / "model")
    expected = logits(truth)
    torch.testing.assert_close(logits(model), expected, atol=1e-5, rtol=1e-5)
    with onednn.packed(model.model.layers):  # it must not leave out that inputs are quantized
        torch.testing.assert_close(logits(model), expected, atol=1e-5, rtol=1e-5)


def load(folder: Path) -> PreTrainedModel:
    source = look_up(str(folder), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    return load_model(source, device="cpu").model


@pytest.mark.parametrize(
    ("method", "library"),
    [
        ("gptq", "gptqmodel"),
        ("awq", "gptqmodel"),
        ("bitsandbytes", "bitsandbytes"),
        ("compressed-tensors", "compressed_tensors"),
    ],
)
def test_a_missing_library_is_named(method: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, quantization_config={"quant_method": method, "bits": 4})
    monkeypatch.setattr(quantization, "find_spec", lambda _: None)
    with pytest.raises(CornerstoneError, match=f"quantized by '{method}', which needs the library {library}; install"):
        check_folder(model)


@pytest.mark.parametrize("method", ["fp8", "mxfp4", "bitsandbytes"])
def test_weights_that_are_not_quantized_at_all_are_told(method: str, tmp_path: Path) -> None:
    if method == "bitsandbytes":
        needs(method)
    model = small_model(tmp_path / "model")
    change_config(model, quantization_config={"quant_method": method, "bits": 4})
    with pytest.raises(CornerstoneError, match=f"says that weights are quantized by '{method}', and none is"):
        check_folder(model)


@pytest.mark.parametrize("method", ["hqq", "eetq", "quark", "torchao", "nothing"])
def test_another_way_is_not_supported(method: str, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, quantization_config={"quant_method": method})
    with pytest.raises(CornerstoneError, match=f"quantized by '{method}', which is not supported"):
        check_folder(model)


def test_how_weights_are_quantized_is_part_of_the_model(tmp_path: Path) -> None:
    quantized.fp8(tmp_path)
    first = model_fingerprint(tmp_path, "float32")
    change_config(tmp_path, quantization_config={"quant_method": "fp8", "weight_block_size": [16, 16]})
    assert model_fingerprint(tmp_path, "float32") != first


def test_an_adapter_is_not_added_to_quantized_weights(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="peft is not installed, so no adapter can be made")
    quantized.llama().save_pretrained(tmp_path / "plain")
    adapter = save_adapter(tmp_path / "plain", tmp_path / "adapter", target_modules=["q_proj"])
    quantized.fp8(tmp_path / "model")
    source = look_up(str(tmp_path / "model"), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    with pytest.raises(CornerstoneError, match="an adapter can only be added to weights that are not"):
        load_model(source.with_adapter(adapter), device="cpu")
