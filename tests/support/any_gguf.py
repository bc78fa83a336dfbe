"""GGUF files of tiny random models of many architectures, written as llama.cpp's converter writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedModel

from tests.support.small_model import BYTES, SPECIAL, VOCABULARY

Array = np.ndarray[Any, Any]
LAYERS = 6
"""Every sixth layer of Gemma 3 looks beyond its window."""
_WIDTH, _INNER, _HEADS, _SHARED, _HEAD = 32, 64, 4, 2, 8
_BASE = 50_000.0
_CONFIG: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": _WIDTH,
    "intermediate_size": _INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": _HEADS,
    "num_key_value_heads": _SHARED,
    "max_position_embeddings": 128,
    "bos_token_id": VOCABULARY - 2,
    "eos_token_id": VOCABULARY - 1,
    "pad_token_id": 0,
    "tie_word_embeddings": False,
}
_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": _BASE}}
_HEADED = {**_ROPE, "head_dim": _HEAD}
_RMS, _NORM = "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"
_FOUR = 4 * _WIDTH
_TIED = {"tie_word_embeddings": True}
_WITHOUT_ROPE = {"rope.freq_base": None, "rope.dimension_count": None, "attention.head_count_kv": None}
_NUMBERS: dict[str, Any] = {
    "block_count": LAYERS,
    "context_length": 128,
    "embedding_length": _WIDTH,
    "feed_forward_length": _INNER,
    "attention.head_count": _HEADS,
    "attention.head_count_kv": _SHARED,
    "rope.freq_base": _BASE,
    "rope.dimension_count": _HEAD,
}


class Kind:
    """How models of an architecture are made, and what files say of them."""

    def __init__(
        self, model_type: str, arch: str, settings: Mapping[str, Any], says: Mapping[str, Any], turned: Any = None
    ) -> None:
        self.model_type, self.arch, self.settings, self.says = model_type, arch, settings, says
        self.turned: Callable[[str, Array], Array] = turned or (lambda _, weight: weight)

    def model(self, **more: Any) -> PreTrainedModel:
        """Return a random model."""
        config = CONFIG_MAPPING[self.model_type](**{**_CONFIG, **self.settings, **more})
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.normal_(0, 0.3)
                if name.endswith("A_log"):
                    parameter.abs_()
        return model

    def write(self, model: PreTrainedModel, path: Path, more: Mapping[str, Array] | None = None, **says: Any) -> Path:
        """Write a model to a file; ``says`` are numbers that it has besides, or instead (None leaves one out)."""
        writer = gguf.GGUFWriter(str(path), self.arch)
        numbers = {**_NUMBERS, **self.says, **{key.replace("__", "."): one for key, one in says.items()}}
        for key, value in numbers.items():
            _add(writer, f"{self.arch}.{key}", value)
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list([*BYTES[:-1], BYTES[0] + BYTES[1], *SPECIAL])
        writer.add_token_types([gguf.TokenType.NORMAL] * len(BYTES) + [gguf.TokenType.CONTROL] * len(SPECIAL))
        writer.add_token_merges([f"{BYTES[0]} {BYTES[1]}"])
        writer.add_bos_token_id(VOCABULARY - 2)
        writer.add_eos_token_id(VOCABULARY - 1)
        writer.add_pad_token_id(0)
        for name, weight in {**self.tensors(model), **(more or {})}.items():
            writer.add_tensor(name, np.ascontiguousarray(weight, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def tensors(self, model: PreTrainedModel) -> dict[str, Array]:
        """Return the tensors of a file."""
        number = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == self.arch)
        names = gguf.get_tensor_name_map(number, LAYERS)
        found: dict[str, Array] = {}
        tied = model.config.tie_word_embeddings
        for name, weight in model.state_dict().items():
            if (tied and name == "lm_head.weight") or name.endswith("rotary_emb.inv_freq"):
                continue
            if ".mlp.experts." in name:
                found |= _experts(name, weight.numpy())
                continue
            stem, dot, end = name.rpartition(".")
            whole = stem if end in {"weight", "bias"} else name
            its = names.get_name(whole) or names.get_name(whole.partition(".")[2])
            if its is None:
                raise ValueError(f"gguf has no name for {name}")
            its = f"{its}{dot}{end}" if end in {"weight", "bias"} else its
            found[its] = self.turned(its, weight.numpy())
        return found


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    match value:
        case None:
            pass
        case bool():
            writer.add_bool(key, value)
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case str():
            writer.add_string(key, value)


def _llama(name: str, weight: Array) -> Array:
    """Interleave the halves of each head's rows, as Llama's own weights have them."""
    if ".attn_q." in name or ".attn_k." in name:
        heads = _HEADS if ".attn_q." in name else _SHARED
        halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
        return halves.swapaxes(1, 2).reshape(weight.shape)
    return weight


def _experts(name: str, weight: Array) -> dict[str, Array]:
    """Return the stacked matrices of experts: those of gate and of up lie one above the other in a model."""
    block = f"blk.{name.split('.')[2]}"
    if name.endswith("down_proj"):
        return {f"{block}.ffn_down_exps.weight": weight}
    gate, up = np.split(weight, 2, axis=1)
    return {f"{block}.ffn_gate_exps.weight": gate, f"{block}.ffn_up_exps.weight": up}


def _bloom(name: str, weight: Array) -> Array:
    """Put the queries, keys and values of all heads one after another."""
    if "attn_qkv" in name:
        return weight.reshape(_HEADS, 3, _HEAD, *weight.shape[1:]).swapaxes(0, 1).reshape(weight.shape)
    return weight


def _one_more(name: str, weight: Array) -> Array:
    return weight + 1 if "norm.weight" in name else weight


def _conv1d(name: str, weight: Array) -> Array:
    transposed = ("attn_qkv.weight", "ffn_down.weight", "ffn_up.weight", "attn_output.weight")
    return weight.T if name.endswith(transposed) else weight


def _mamba(name: str, weight: Array) -> Array:
    if name.endswith("ssm_conv1d.weight"):
        return weight.squeeze(1)
    return -np.exp(weight) if "ssm_a" in name else weight


_GEMMA = {**_HEADED, "tie_word_embeddings": True, "query_pre_attn_scalar": _HEAD, "sliding_window": 5}
_GEMMA_SAYS = {
    _RMS: 1e-5,
    "attention.key_length": _HEAD,
    "attention.value_length": _HEAD,
    "attention.sliding_window": 5,
}

KINDS: dict[str, Kind] = {
    "llama": Kind("llama", "llama", {**_ROPE, "rms_norm_eps": 1e-4}, {_RMS: 1e-4}, _llama),
    "qwen2": Kind("qwen2", "qwen2", {**_ROPE, "rms_norm_eps": 1e-4}, {_RMS: 1e-4, "rope.dimension_count": None}),
    "qwen3": Kind(
        "qwen3", "qwen3", {**_HEADED, "rms_norm_eps": 1e-5},
        {_RMS: 1e-5, "attention.key_length": _HEAD, "attention.value_length": _HEAD},
    ),
    "gemma2": Kind(
        "gemma2", "gemma2",
        {**_GEMMA, "rms_norm_eps": 1e-5, "attn_logit_softcapping": 9.0, "final_logit_softcapping": 7.0},
        {**_GEMMA_SAYS, "attn_logit_softcapping": 9.0, "final_logit_softcapping": 7.0}, _one_more,
    ),
    "gemma3": Kind(
        "gemma3_text", "gemma3",
        {
            **_GEMMA,
            "rms_norm_eps": 1e-5,
            "rope_parameters": {
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
                "full_attention": {"rope_type": "default", "rope_theta": _BASE},
            },
        },
        _GEMMA_SAYS, _one_more,
    ),
    "phi3": Kind(
        "phi3", "phi3", {**_ROPE, "sliding_window": 5, "rms_norm_eps": 1e-4},
        {_RMS: 1e-4, "attention.sliding_window": 5},
    ),
    "starcoder2": Kind(
        "starcoder2", "starcoder2", {**_ROPE, "sliding_window": 6, "norm_epsilon": 1e-4, "tie_word_embeddings": True},
        {_NORM: 1e-4, "attention.sliding_window": 6},
    ),
    "stablelm": Kind(
        "stablelm", "stablelm",
        {"rope_parameters": {**_ROPE["rope_parameters"], "partial_rotary_factor": 0.5}, "layer_norm_eps": 1e-4},
        {_NORM: 1e-4, "rope.dimension_count": 4, "use_parallel_residual": False},
    ),
    "nemotron": Kind(
        "nemotron", "nemotron",
        {**_HEADED, "rope_parameters": {**_ROPE["rope_parameters"], "partial_rotary_factor": 0.5}, "norm_eps": 1e-4},
        {_NORM: 1e-4, "rope.dimension_count": 4}, _one_more,
    ),
    "falcon": Kind(
        "falcon", "falcon",
        {**_ROPE, "multi_query": True, "layer_norm_epsilon": 1e-4, "ffn_hidden_size": _FOUR, **_TIED},
        {_NORM: 1e-4, "feed_forward_length": _FOUR, "attention.head_count_kv": 1, "rope.dimension_count": None},
    ),
    "gpt2": Kind(
        "gpt2", "gpt2",
        {"n_embd": _WIDTH, "n_layer": LAYERS, "n_head": _HEADS, "n_positions": 128, "layer_norm_epsilon": 1e-4},
        {**_WITHOUT_ROPE, _NORM: 1e-4, "feed_forward_length": _FOUR}, _conv1d,
    ),
    "bloom": Kind(
        "bloom", "bloom",
        {"n_head": _HEADS, "n_layer": LAYERS, "layer_norm_epsilon": 1e-4, "tie_word_embeddings": True},
        {**_WITHOUT_ROPE, _NORM: 1e-4, "feed_forward_length": _FOUR}, _bloom,
    ),
    "mamba": Kind(
        "mamba", "mamba",
        {"state_size": 4, "conv_kernel": 4, "intermediate_size": 64, "time_step_rank": 3, "layer_norm_epsilon": 1e-4},
        {
            **_WITHOUT_ROPE, _RMS: 1e-4, "attention.head_count": 0, "feed_forward_length": 0, "ssm.conv_kernel": 4,
            "ssm.state_size": 4, "ssm.time_step_rank": 3, "ssm.inner_size": 64,
        },
        _mamba,
    ),
    "qwen3moe": Kind(
        "qwen3_moe", "qwen3moe",
        {
            **_HEADED, "rms_norm_eps": 1e-5, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24,
            "norm_topk_prob": True,
        },
        {
            _RMS: 1e-5, "attention.key_length": _HEAD, "attention.value_length": _HEAD, "expert_count": 4,
            "expert_used_count": 2, "expert_feed_forward_length": 24,
        },
    ),
}  # fmt: skip
