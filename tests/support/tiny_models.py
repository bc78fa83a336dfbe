"""Tiny random models, one per supported family."""

from __future__ import annotations

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedModel

VOCABULARY = 97
LAYERS = 4
WINDOW = 64

_LLAMA_LIKE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": WINDOW,
}
_GEMMA_LIKE = {**_LLAMA_LIKE, "head_dim": 8, "sliding_window": 5, "query_pre_attn_scalar": 8}
_MULTI_HEAD = {key: value for key, value in _LLAMA_LIKE.items() if key != "num_key_value_heads"}

SETTINGS: dict[str, dict[str, object]] = {
    "llama": _LLAMA_LIKE,
    "qwen2": {**_LLAMA_LIKE, "use_sliding_window": True, "sliding_window": 5, "max_window_layers": 2},
    "gemma": {**_LLAMA_LIKE, "head_dim": 8},
    "gemma2": _GEMMA_LIKE,
    "gemma3_text": {**_GEMMA_LIKE, "sliding_window_pattern": 2},
    # The part that sees images is as small as possible, and no test uses it.
    "gemma3": {
        "text_config": {**_GEMMA_LIKE, "sliding_window_pattern": 2, "bos_token_id": None, "eos_token_id": None},
        "vision_config": {
            "hidden_size": 8,
            "intermediate_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "image_size": 8,
            "patch_size": 4,
        },
        "mm_tokens_per_image": 4,
        "image_token_index": 96,
        "boi_token_index": 95,
        "eoi_token_index": 94,
    },
    "mistral": {**_LLAMA_LIKE, "sliding_window": 5, "head_dim": 8},
    "mixtral": {**_LLAMA_LIKE, "num_local_experts": 4, "sliding_window": None},
    "gpt2": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": LAYERS, "n_head": 4, "n_positions": WINDOW},
    "gpt_neox": {**_MULTI_HEAD, "rotary_pct": 0.5},
    "phi": _MULTI_HEAD,
    "opt": {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "word_embed_proj_dim": 32,
        "ffn_dim": 48,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "max_position_embeddings": WINDOW,
        "pad_token_id": 1,
    },
}


def tiny_model(family: str, **settings: object) -> PreTrainedModel:
    """Build a model with large random weights, biases and norms included, so that any error shows in the logits."""
    config = CONFIG_MAPPING[family](**{**SETTINGS[family], **settings}, bos_token_id=None, eos_token_id=None)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model
