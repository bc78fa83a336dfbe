"""Tiny random models that also see images. Their texts are read by decoders of the same shape."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoModelForImageTextToText, PreTrainedModel

LAYERS = 3
VOCABULARY = 300

_TEXT: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
_IMAGES: dict[str, Any] = {
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "num_heads": 1,
    "image_size": 8,
    "patch_size": 4,
}
_LAST = {"image_token_id": 299, "image_token_index": 299, "video_token_id": 298, "vision_start_token_id": 297}
_BY_AXIS = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
_QWEN = {**_IMAGES, "depth": 1, "out_hidden_size": 32}
_GEMMA = {**_TEXT, "pad_token_id": 0, "sliding_window": 5, "query_pre_attn_scalar": 8}

WRAPPERS: dict[str, dict[str, Any]] = {
    "mistral3": {"text_config": {**_TEXT, "model_type": "mistral"}, "vision_config": {**_IMAGES, "head_dim": 8}},
    "qwen2_5_vl": {"text_config": {**_TEXT, "rope_parameters": _BY_AXIS}, "vision_config": _QWEN},
    "qwen3_vl": {
        "text_config": {**_TEXT, "rope_parameters": _BY_AXIS},
        "vision_config": {**_QWEN, "deepstack_visual_indexes": [0]},
    },
    "gemma3": {"text_config": _GEMMA, "vision_config": _IMAGES, "mm_tokens_per_image": 4},
    "gemma4": {
        "text_config": {**_GEMMA, "global_head_dim": 8, "hidden_size_per_layer_input": 4, "num_kv_shared_layers": 0}
        | {"vocab_size_per_layer_input": VOCABULARY},
        "vision_config": {**_IMAGES, "num_key_value_heads": 1, "head_dim": 8},
        "audio_config": None,
    },
    "llama4": {
        "text_config": {**_TEXT, "intermediate_size_mlp": 48, "num_local_experts": 2, "attention_chunk_size": 16},
        "vision_config": {**_IMAGES, "vision_output_dim": 8, "projector_input_dim": 8, "projector_output_dim": 8},
    },
    "llava": {
        "text_config": {**_TEXT, "model_type": "llama"},
        "vision_config": {**_IMAGES, "model_type": "clip_vision_model"},
    },
    "glm4v": {"text_config": {**_TEXT, "rope_parameters": _BY_AXIS}, "vision_config": {**_QWEN, "out_hidden_size": 32}},
    "internvl": {
        "text_config": {**_TEXT, "model_type": "qwen2"},
        "vision_config": {**_IMAGES, "image_size": [8, 8], "patch_size": [4, 4]},
    },
    "qwen3_5": {
        "text_config": {**_TEXT, "layer_types": ["linear_attention", "full_attention", "linear_attention"]},
        "vision_config": _QWEN,
    },
}


def tiny_wrapper(name: str) -> PreTrainedModel:
    """Build a model with large random weights, with all its parts."""
    config = CONFIG_MAPPING[name](**{**_LAST, **WRAPPERS[name]})
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model
