"""Small values for the settings of any config class, by the name of the setting."""

from __future__ import annotations

from typing import Any

VOCABULARY = 272
LAYERS = 4
WIDTH = 32
HEADS = 4
CONTEXT = 128
WINDOW = 5
"""How far a sliding window reaches, and how long a chunk is."""
BOS, EOS, PAD = 256, 257, 258
FIRST_SPECIAL = 256
"""Tokens from here on have a meaning of their own, such as the place of an image."""

SMALL: dict[str, Any] = {
    # The vocabulary and the text.
    **dict.fromkeys(
        ("vocab_size", "vocab_size_per_layer_input", "audio_vocab_size", "unpadded_vocab_size"), VOCABULARY
    ),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "context_length"), CONTEXT),
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
    "eod_token_id": EOS,
    "sep_token_id": 259,
    "cls_token_id": BOS,
    # Depth and width.
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_blocks"), LAYERS),
    "num_layers_per_stack": 2,
    **dict.fromkeys(("encoder_layers", "decoder_layers", "num_encoder_layers", "num_decoder_layers"), 2),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), HEADS),
    **dict.fromkeys(("num_encoder_attention_heads", "num_decoder_attention_heads"), HEADS),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "d_inner"), 48),
    "d_head": 8,
    **dict.fromkeys(("emb_dim", "embedding_size"), WIDTH),
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "word_embed_proj_dim", "embedding_dim", "lru_width"), WIDTH),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "n_inner", "dff", "dim_ff", "dense_intermediate_size"), 48),
    **dict.fromkeys(("intermediate_size_mlp", "prefix_dense_intermediate_size", "shared_intermediate_size"), 48),
    "hidden_size_per_layer_input": 8,
    "ffn_hidden_size": 48,
    "ffn_round_up_to_multiple_of": 8,
    "block_multiple_of": 8,
    # Attention.
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"), HEADS),
    **dict.fromkeys(("swa_num_attention_heads",), HEADS),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "swa_num_key_value_heads"), 2),
    "num_global_key_value_heads": 1,
    **dict.fromkeys(("head_dim", "swa_head_dim", "dim_head", "kv_channels", "query_pre_attn_scalar"), 8),
    "global_head_dim": 16,
    "rotary_dim": 4,
    **dict.fromkeys(("sliding_window", "attention_chunk_size", "sliding_window_size", "window_size"), WINDOW),
    **dict.fromkeys(("local_attention", "attention_window_size"), 6),
    "max_window_layers": 2,
    # Low-rank attention, and its index of keys.
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "qk_head_dim": 12,
    "v_head_dim": 8,
    **dict.fromkeys(("index_n_heads", "indexer_n_heads"), 16),
    **dict.fromkeys(("index_head_dim", "indexer_head_dim"), 8),
    **dict.fromkeys(("index_topk", "keep_window_size"), CONTEXT),
    # Experts.
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 6),
    **dict.fromkeys(("num_experts_per_tok", "moe_topk", "moe_k", "moe_top_k", "top_k_experts"), 2),
    **dict.fromkeys(("moe_intermediate_size", "expert_ffn_hidden_size", "shared_expert_intermediate_size"), 16),
    **dict.fromkeys(("shared_experts_intermediate_size", "moe_shared_expert_intermediate_size"), 16),
    "n_group": 1,
    "topk_group": 1,
    "n_shared_experts": 1,
    "num_shared_experts": 1,
    "first_k_dense_replace": 1,
    "num_dense_layers": 1,
    "moe_layer_start_index": 1,
    # Layers that keep a state.
    **dict.fromkeys(("linear_num_key_heads",), 2),
    **dict.fromkeys(("linear_num_value_heads", "linear_num_heads"), HEADS),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim", "linear_head_dim"), 8),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads"), 8),
    **dict.fromkeys(("mamba_d_head", "mamba_head_dim", "mamba_headdim"), 8),
    **dict.fromkeys(("mamba_d_state", "ssm_state_size", "state_size"), 8),
    **dict.fromkeys(("mamba_dt_rank", "time_step_rank"), 4),
    **dict.fromkeys(("mamba_chunk_size", "chunk_size"), 4),
    **dict.fromkeys(("n_groups", "mamba_ngroups", "mamba_n_groups"), 1),
    "n_mamba_heads": 2,
    "mamba_d_ssm": 64,
    # Kept small where a wrapper has it.
    "image_size": 16,
    "patch_size": 8,
    "num_channels": 3,
    "depth": 1,
}
"""What a setting of that name becomes, in a text model."""

OF_EYES_AND_EARS: dict[str, Any] = {
    **dict.fromkeys(("num_hidden_layers", "depth", "num_layers", "encoder_layers"), 1),
    **dict.fromkeys(("hidden_size", "intermediate_size", "embed_dim", "d_model", "out_hidden_size"), 16),
}
"""What is different in the part of a model that sees or hears. No test uses it, so it is as small as possible."""
