"""Settings of model types that the general rule for small models does not fit."""

from __future__ import annotations

from typing import Any

from tests.support.decoder_sizes import CONTEXT, HEADS, LAYERS, WIDTH

_SLIDING = ["sliding_attention", "full_attention"] * 2
_NO_PICTURE = 270
_DENSE_FIRST = ["dense", "sparse", "sparse", "sparse"]
_BY_SECTION = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
_MAMBA_HEADS = {"mamba_n_heads": 8, "mamba_d_head": 8}

EXCEPTIONS: dict[str, dict[str, Any]] = {
    # Layers of every type.
    "bamba": {"attn_layer_indices": [1, 3]},
    "beam": {"mlp_layer_types": ["dense", "dense", "dense", "sparse"]},
    "cohere_compass_text": {
        "layer_types": _SLIDING,
        "logit_scale": 0.5,
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": 1e4} for kind in ("sliding_attention", "full_attention")
        },
    },
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "granitemoehybrid": {"layer_types": ["linear_attention", "full_attention"] * 2, **_MAMBA_HEADS},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "laguna": {"layer_types": _SLIDING},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention", "conv", "full_attention"]},
    "llama4_text": {"interleave_moe_layer_step": 2, "no_rope_layer_interval": 2},
    "mellum": {"layer_types": _SLIDING},
    "ministral": {"layer_types": _SLIDING},
    "mistral": {"head_dim": 8},
    "qwen2": {"use_sliding_window": True},
    "qwen2_moe": {"use_sliding_window": True, "decoder_sparse_step": 2},
    "qwen3": {"use_sliding_window": True},
    "qwen3_next": {"decoder_sparse_step": 2},
    "smollm3": {"no_rope_layer_interval": 2},
    "flint": {"mlp_only_layers": [0, 1, 2]},
    "dots1": {"layer_types": _SLIDING},
    "zamba": {
        "num_hidden_layers": 6,
        "layers_block_type": ["mamba", "mamba", "hybrid"] * 2,
        "attention_hidden_size": 2 * WIDTH,
        "attention_head_dim": 16,
    },
    "recurrent_gemma": {"num_hidden_layers": 6},
    # Sizes that depend on one another.
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "rope_theta": 1e4, "clip_qkv": 2.0},
        "ffn_config": {"ffn_hidden_size": 32, "moe_num_experts": 4, "moe_top_k": 2},
    },
    "dots3_note_text": {
        "num_key_value_heads": HEADS,
        "layer_types": ["indexed_attention", "sliding_attention"] * 2,
        "mlp_layer_types": _DENSE_FIRST,
        "head_dim": 12,
        "swa_num_attention_heads": HEADS,
        "swa_num_key_value_heads": HEADS,
        "swa_q_lora_rank": 16,
        "swa_kv_lora_rank": 16,
        "swa_head_dim": 12,
        "swa_qk_nope_head_dim": 8,
        "swa_v_head_dim": 8,
    },
    "gemma3n_text": {"num_kv_shared_layers": 0},
    "longcat_flash": {"head_dim": 4, "num_layers": 2, "num_hidden_layers": 4, "zero_expert_num": 2},
    "mamba2": {"num_heads": 8, "head_dim": 8},
    "qwen4_exp_text": {
        "indexer_kv_heads": 1,
        "indexer_budget": CONTEXT,
        "indexer_compress_ratio": 2,
        "hc_lowrank": 8,
        "hc_count": 2,
        "ple_layer_ids": [3],
        "ple_embed_dim": 32,
        "heads_per_ngram": 2,
        "ngram_vocab_size_base": 50,
        "split_ngram_parts": 1,
    },
    "xglm": {"pad_token_id": 1},
    "zaya": {"num_experts_per_tok": 1, "router_hidden_size": 16},
    "blt": {
        "encoder_hash_byte_group_vocab": 64,
        "encoder_config": {"hidden_size_global": 2 * WIDTH, "num_key_value_heads": HEADS},
        "decoder_config": {"hidden_size_global": 2 * WIDTH, "num_key_value_heads": HEADS},
        "global_config": {"hidden_size": 2 * WIDTH, "num_key_value_heads": HEADS},
        "patcher_config": {"num_key_value_heads": HEADS},
        "max_position_embeddings": CONTEXT,
    },
    "deepseek_v4": {"compress_rates": None},
    # Logits of a size that shows errors.
    "cohere": {"logit_scale": 0.5},
    "cohere2": {"logit_scale": 0.5},
    "cohere2_moe": {"logit_scale": 0.5, "mlp_layer_types": _DENSE_FIRST},
    "granite": {"logits_scaling": 2.0, "residual_multiplier": 0.7},
    "granitemoe": {"logits_scaling": 2.0, "residual_multiplier": 0.7},
    "inkling_text": {"logits_mup_width_multiplier": 1.0, "mlp_layer_types": _DENSE_FIRST},
    "inkling2_text": {"logits_mup_width_multiplier": 1.0},
    "minicpm3": {"dim_model_base": 32},
    # What sees or hears.
    "gemma3": {"mm_tokens_per_image": 4, "image_token_index": _NO_PICTURE},
    "gemma4_text": {"global_head_dim": 16},
    "gemma4_unified_text": {"global_head_dim": 16},
    "gemma4": {"image_token_id": _NO_PICTURE},
    "gemma4_unified": {
        "vision_config": {"mm_embed_dim": 8, "mm_posemb_size": 4, "output_proj_dims": 8, "patch_size": 2},
        "audio_config": {"audio_embed_dim": 8},
    },
    "dots3_note": {
        "vision_config": {
            "mlp_layer_types": ["dense"],
            "adapter_in_dim": 16,
            "adapter_out_dim": WIDTH,
            "num_attention_heads": 2,
        },
        "audio_config": {"adapter_input_size": 16, "adapter_out_dim": WIDTH, "num_attention_heads": 2},
    },
    "qwen2_vl_text": {"rope_parameters": _BY_SECTION},
    "qwen2_5_vl_text": {"rope_parameters": _BY_SECTION},
    "glm4v_text": {"rope_parameters": _BY_SECTION},
    "glm4v_moe_text": {"head_dim": 16, "rope_parameters": {**_BY_SECTION, "partial_rotary_factor": 0.5}},
    "cohere2_vision": {"alignment_intermediate_size": 16},
    # Encoders, and decoders that read an encoder.
    "camembert": {"pad_token_id": 1},
    "data2vec-text": {"pad_token_id": 1},
    "prophetnet": {"pad_token_id": 1},
    "roberta": {"pad_token_id": 1},
    "roberta-prelayernorm": {"pad_token_id": 1},
    "xlm-roberta": {"pad_token_id": 1},
    "xlm-roberta-xl": {"pad_token_id": 1},
    "xmod": {"pad_token_id": 1},
    "reformer": {"is_decoder": True, "axial_pos_embds": False, "attn_layers": ["local", "lsh"] * 2},
    "roc_bert": {"pad_token_id": 1, "shape_vocab_size": 20, "pronunciation_vocab_size": 20},
    # Draft heads.
    "gemma4_assistant": {
        "text_config": {
            "hidden_size_per_layer_input": 0,
            "vocab_size_per_layer_input": 0,
            "num_kv_shared_layers": LAYERS,
        },
        "backbone_hidden_size": WIDTH,
    },
    "gemma4_unified_assistant": {"text_config": {"num_kv_shared_layers": LAYERS}, "backbone_hidden_size": WIDTH},
}
