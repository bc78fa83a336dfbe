"""A whole GGUF file of 50 KB: the model of ``tests.support.small_model``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf

from tests.support.small_model import BYTES, CONFIG, HEADS, INNER, LAYERS, SPECIAL, VOCABULARY, WIDTH, small_weights

_NAMES = {
    "model.embed_tokens": "token_embd",
    "lm_head": "output",
    "model.norm": "output_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "model.layers": "blk",
}


def small_gguf(path: Path, *, without: str = "", more: dict[str, Any] | None = None, **numbers: int) -> Path:
    """Write the model as a GGUF file.

    Args:
        path: the new file.
        without: the name of a tensor to leave out.
        more: tensors to add.
        numbers: numbers of the model to replace, such as ``block_count``.
    """
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("small")
    counts = {
        "block_count": LAYERS,
        "context_length": CONFIG["max_position_embeddings"],
        "embedding_length": WIDTH,
        "feed_forward_length": INNER,
        "attention.head_count": HEADS,
        "attention.head_count_kv": 1,
        "rope.dimension_count": WIDTH // HEADS,
        "vocab_size": VOCABULARY,
        **numbers,
    }
    for name, count in counts.items():
        writer.add_uint32(f"llama.{name}", count)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*BYTES[:-1], BYTES[0] + BYTES[1], *SPECIAL])  # readers want a merge
    writer.add_token_types([gguf.TokenType.NORMAL] * len(BYTES) + [gguf.TokenType.CONTROL] * len(SPECIAL))
    writer.add_token_merges([f"{BYTES[0]} {BYTES[1]}"])
    writer.add_bos_token_id(VOCABULARY - 2)
    writer.add_eos_token_id(VOCABULARY - 1)
    tensors = {_gguf_name(name): weight for name, weight in small_weights().items()} | (more or {})
    for name, weight in tensors.items():
        if name != without:
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _gguf_name(name: str) -> str:
    for ours, theirs in _NAMES.items():
        name = name.replace(ours, theirs)
    return name
