"""Tiny models with quantized weights, and the plain models that have the values of these weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, GptOssConfig, PreTrainedModel

from tests.support.small_model import (
    SPECIAL,
    TOKENIZER_CONFIG,
    VOCABULARY,
    byte_tokenizer,
    change_config,
    write_json,
)
from tests.support.tiny_models import tiny_model

_BLOCK = 32
_LEVELS = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
_FP4 = torch.cat([_LEVELS, -_LEVELS])
"""The 16 numbers of four bits: a sign, two bits of exponent, one of mantissa (OCP Microscaling Formats, 1.0)."""


def llama() -> PreTrainedModel:
    """Return a random Llama whose matrices have sides that blocks of 32 divide."""
    return tiny_model("llama", vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128)


def with_tokenizer(folder: Path) -> Path:
    byte_tokenizer(special=SPECIAL).save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG)
    return folder


def fp8(folder: Path) -> PreTrainedModel:
    """Write a model in FP8 with a scale for each block of 32x32; return the plain model of the same values."""
    model = llama()
    with _rewritten(model, folder) as (weights, written, values):
        for name, weight in weights.items():
            written[name] = values[name] = weight
            if "_proj.weight" in name:
                blocks = weight.view(weight.shape[0] // _BLOCK, _BLOCK, weight.shape[1] // _BLOCK, _BLOCK)
                scale = blocks.abs().amax((1, 3)) / 448
                whole = scale.repeat_interleave(_BLOCK, 0).repeat_interleave(_BLOCK, 1)
                written[name] = (weight / whole).to(torch.float8_e4m3fn)
                written[f"{name}_scale_inv"] = scale
                values[name] = written[name].float() * whole
    method = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [_BLOCK, _BLOCK]}
    change_config(folder, quantization_config=method)
    return model


def mxfp4(folder: Path) -> PreTrainedModel:
    """Write a gpt-oss whose experts are in MXFP4; return the plain model of the same values."""
    config = GptOssConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, num_local_experts=4, num_experts_per_tok=2, max_position_embeddings=64,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    with _rewritten(model, folder) as (weights, written, values):
        for name, weight in weights.items():
            if "experts" in name and name.endswith("_proj"):
                written[f"{name}_blocks"], written[f"{name}_scales"], values[name] = _in_mxfp4(weight)
            else:
                written[name] = values[name] = weight
    skipped = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    change_config(folder, quantization_config={"quant_method": "mxfp4", "modules_to_not_convert": skipped})
    return model


def _in_mxfp4(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the blocks, the scales and the values of experts (experts, in, out), whose rows are (experts, out, in)."""
    rows = weight.transpose(1, 2).contiguous()
    groups = rows.view(*rows.shape[:2], -1, _BLOCK)
    exponent = torch.floor(torch.log2(groups.abs().amax(-1) / 6)) + 1
    numbers = ((groups / torch.exp2(exponent)[..., None])[..., None] - _FP4).abs().argmin(-1)
    packed = (numbers[..., 0::2] | numbers[..., 1::2] << 4).to(torch.uint8)
    values = (_FP4[numbers] * torch.exp2(exponent)[..., None]).view_as(rows).transpose(1, 2).contiguous()
    return packed, (exponent + 127).to(torch.uint8), values


@contextmanager
def _rewritten(
    model: PreTrainedModel, folder: Path
) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]]:
    """Save a model, and then the weights that are put into the second mapping; give the model those of the third."""
    model.save_pretrained(folder)
    with_tokenizer(folder)
    file = folder / "model.safetensors"
    written: dict[str, Tensor] = {}
    values: dict[str, Tensor] = {}
    yield load_file(file), written, values
    save_file(written, file, metadata={"format": "pt"})
    model.load_state_dict(values)


def bitsandbytes(folder: Path, **settings: Any) -> PreTrainedModel:
    """Write a model that bitsandbytes quantizes; return that model."""
    from transformers import BitsAndBytesConfig

    llama().save_pretrained(folder / "plain")
    config = BitsAndBytesConfig(bnb_4bit_compute_dtype=torch.float32, **settings)
    model = AutoModelForCausalLM.from_pretrained(
        folder / "plain", quantization_config=config, dtype=torch.float32, device_map={"": "cpu"}
    ).eval()
    model.save_pretrained(folder)
    with_tokenizer(folder)
    return model


def compressed_tensors(folder: Path, *, inputs: bool, **settings: Any) -> PreTrainedModel:
    """Write a model that compressed-tensors quantizes; return the model that computes the same uncompressed.

    Args:
        folder: where it goes.
        inputs: quantize the inputs of products too, each token by itself.
        settings: how the weights are quantized.
    """
    from compressed_tensors.compressors import ModelCompressor
    from compressed_tensors.quantization import (
        QuantizationArgs,
        QuantizationConfig,
        QuantizationScheme,
        apply_quantization_config,
    )

    model = llama()
    weights = QuantizationArgs(symmetric=True, dynamic=False, **settings)
    dynamic = QuantizationArgs(num_bits=8, type=settings["type"], strategy="token", symmetric=True, dynamic=True)
    scheme = QuantizationScheme(targets=["Linear"], weights=weights, input_activations=dynamic if inputs else None)
    groups = {"group_0": scheme}
    config = QuantizationConfig(config_groups=groups, ignore=["lm_head"], quantization_status="frozen")
    apply_quantization_config(model, config)
    most = 448 if settings["type"] == "float" else 2 ** (settings["num_bits"] - 1) - 1
    for module in model.modules():
        if hasattr(module, "weight_scale"):
            scale, weight = module.weight_scale, module.weight.data
            largest = weight.view(len(weight), scale.shape[1], -1).abs().amax(-1)
            scale.data.copy_((largest / most).view_as(scale).to(scale.dtype))
    with torch.inference_mode():
        model(input_ids=torch.zeros(1, 2, dtype=torch.long))
    compressor = ModelCompressor.from_pretrained_model(model)
    truth = llama()
    apply_quantization_config(truth, config)
    truth.load_state_dict(model.state_dict())
    compressor.compress_model(model)
    model.save_pretrained(folder)
    compressor.update_config(folder)
    with_tokenizer(folder)
    return truth
