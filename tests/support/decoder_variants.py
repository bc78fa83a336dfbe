"""Settings that change what a model type computes, and some of them how it may be evaluated."""

from __future__ import annotations

from typing import Any

from tests.support.decoder_sizes import CONTEXT

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gemma4_text: shared keys": ("gemma4_text", {"num_kv_shared_layers": 2}),
    "gemma4_text: experts": (
        "gemma4_text",
        {"enable_moe_block": True, "num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 16},
    ),
    "gemma4_text: no embedding a layer": ("gemma4_text", {"hidden_size_per_layer_input": 0}),
    "gemma3n_text: shared keys": ("gemma3n_text", {"num_kv_shared_layers": 2}),
    "falcon: alibi": ("falcon", {"alibi": True}),
    "falcon: new decoder": ("falcon", {"new_decoder_architecture": True}),
    "falcon: sequential": ("falcon", {"parallel_attn": False}),
    "stablelm: parallel": ("stablelm", {"use_parallel_residual": True}),
    "phi3: longrope": (
        "phi3",
        {
            "max_position_embeddings": CONTEXT,
            "original_max_position_embeddings": 16,
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 1e4,
                "short_factor": [1.0, 1.1, 1.2, 1.3],
                "long_factor": [2.0, 3.0, 4.0, 5.0],
            },
        },
    ),
    "llama: dynamic rope": (
        "llama",
        {
            "max_position_embeddings": 16,
            "rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0},
        },
    ),
    "opt: norm after": ("opt", {"do_layer_norm_before": False}),
    "opt: narrow embedding": ("opt", {"word_embed_proj_dim": 16, "enable_bias": False}),
    "gpt_bigcode: multi-head": ("gpt_bigcode", {"multi_query": False}),
    "bloom: residual after norm": ("bloom", {"apply_residual_connection_post_layernorm": True}),
    "gpt_neox: sequential": ("gpt_neox", {"use_parallel_residual": False}),
    "qwen3_5_text: all linear": ("qwen3_5_text", {"layer_types": ["linear_attention"] * 4}),
    **{f"{name}: few keys": (name, {"index_topk": 6}) for name in ("axk2", "deepseek_v32", "dots3_note_text", "hy_v4")},
    "glm_moe_dsa: few keys, two heads": ("glm_moe_dsa", {"index_topk": 6, "index_n_heads": 2}),
    "qwen4_exp_text: few keys": ("qwen4_exp_text", {"indexer_budget": 4}),
    "doge: few keys": ("doge", {"keep_window_size": 6}),
    "gpt2: cross-attention": ("gpt2", {"add_cross_attention": True}),
    "granitemoehybrid: attention only": ("granitemoehybrid", {"layer_types": ["full_attention"] * 4}),
    "granitemoehybrid: no experts": ("granitemoehybrid", {"num_local_experts": 0}),
    "gemma2: caps": ("gemma2", {"final_logit_softcapping": 2.0, "attn_logit_softcapping": 1.0}),
    "gemma3_text: a window of one token": ("gemma3_text", {"sliding_window": 1}),
    "llama: biases, tied": ("llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    "llama: one layer": ("llama", {"num_hidden_layers": 1}),
    "minimax_m3_vl_text: blocks of keys": (
        "minimax_m3_vl_text",
        {
            "layer_types": ["full_attention", "minimax_m3_sparse"] * 2,
            "mlp_layer_types": ["dense", "sparse", "sparse", "sparse"],
            "index_n_heads": 2,
            "index_block_size": 4,
            "index_topk_blocks": 2,
        },
    ),
    "zaya: sliding": ("zaya", {"layer_types": ["hybrid_sliding", "hybrid"] * 2, "sliding_window": 5}),
    "hy_v4: no shared index": ("hy_v4", {"indexer_types": ["full"] * 4}),
    "mpt: learned positions": ("mpt", {"attn_config": {"alibi": False}}),
    "falcon_h1: multipliers": (
        "falcon_h1",
        {
            "embedding_multiplier": 1.3,
            "attention_in_multiplier": 1.1,
            "attention_out_multiplier": 0.8,
            "ssm_in_multiplier": 0.9,
            "ssm_out_multiplier": 1.2,
            "mlp_multipliers": [0.7, 1.4],
            "lm_head_multiplier": 0.6,
        },
    ),
    "granite: multipliers": (
        "granite",
        {"embedding_multiplier": 3.0, "residual_multiplier": 0.3, "attention_multiplier": 0.2, "logits_scaling": 0.5},
    ),
}
"""A name for each variant, its model type, and its settings."""
