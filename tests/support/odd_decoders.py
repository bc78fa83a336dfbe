"""Tiny random models of types that a layer of attention and FFN does not describe, or that break a law."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedModel

_PLAIN: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_DELTA = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"] * 2,
}
_LATENT = {
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "num_key_value_heads": 4,
}
_SSM = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 4}
_GEMMA4 = {
    "head_dim": 8,
    "global_head_dim": 8,
    "sliding_window": 5,
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": 97,
    "num_kv_shared_layers": 0,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
}

SETTINGS: dict[str, dict[str, Any]] = {
    "bloom": {"vocab_size": 97, "hidden_size": 32, "n_layer": 4, "n_head": 4},
    "codegen": {"vocab_size": 97, "n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 64, "rotary_dim": 4},
    "cohere": _PLAIN,
    "cpmant": {"vocab_size": 97, "hidden_size": 32, "num_attention_heads": 4, "dim_head": 8, "dim_ff": 48,
               "num_hidden_layers": 4},
    "falcon": {"vocab_size": 97, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4},
    "falcon_h1": {**_PLAIN, **_SSM, "mamba_d_ssm": 64, "head_dim": 8},
    "gemma4_text": {**_PLAIN, **_GEMMA4},
    "gpt_oss": {**_PLAIN, **_EXPERTS, "head_dim": 8, "sliding_window": 5},
    "granitemoeshared": {**_PLAIN, **_EXPERTS, "shared_intermediate_size": 16},
    "inkling_text": {**_PLAIN, "head_dim": 8},
    "jamba": {**_PLAIN, "num_experts": 4, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_dt_rank": 4,
              "use_mamba_kernels": False},
    "lfm2": {**_PLAIN, "layer_types": ["conv", "full_attention"] * 2, "block_auto_adjust_ff_dim": False},
    "longcat_flash": {**_PLAIN, **_LATENT, "head_dim": 8, "num_layers": 2, "num_hidden_layers": 4,
                      "n_routed_experts": 4, "zero_expert_num": 1, "moe_topk": 2, "expert_ffn_hidden_size": 16,
                      "ffn_hidden_size": 48},
    "mamba": {"vocab_size": 97, "hidden_size": 32, "state_size": 8, "num_hidden_layers": 4, "time_step_rank": 4},
    "minimax": {**_PLAIN, **_EXPERTS, "head_dim": 8},
    "nemotron_h": {**_PLAIN, "head_dim": 8, "mamba_num_heads": 8, "mamba_head_dim": 8, "ssm_state_size": 8,
                   "n_groups": 1, "chunk_size": 4, "n_routed_experts": 4, "moe_intermediate_size": 16,
                   "moe_shared_expert_intermediate_size": 16,
                   "layers_block_type": ["mamba", "moe", "attention", "mlp"]},
    "openai-gpt": {"vocab_size": 97, "n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 64},
    "qwen3_5_text": {**_PLAIN, **_DELTA},
    "zamba2": {**_PLAIN, **_SSM, "num_mem_blocks": 1, "mamba_ngroups": 1, "n_mamba_heads": 8,
               "layers_block_type": ["mamba", "hybrid"] * 2},
    "zaya": {**_PLAIN, "head_dim": 8, "num_experts": 4, "zaya_mlp_expansion": 8},
}  # fmt: skip


def odd_decoder(name: str, **settings: Any) -> PreTrainedModel:
    """Build a model with large random weights; what scales a layer's output is random too."""
    config = CONFIG_MAPPING[name](**{**SETTINGS[name], **settings})
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for path, weight in model.named_parameters():
            if not path.endswith(("A_log", "dt_bias")):  # these have a range
                weight.normal_(0, 0.3)
        for path, buffer in model.named_buffers():
            if path.endswith("layer_scalar"):
                buffer.fill_(0.7)
    return model
