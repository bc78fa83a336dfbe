"""Widths of a model, read from its configuration, which names them in many ways."""

from __future__ import annotations

from math import prod
from typing import Any, Final

_HIDDEN: Final = ("hidden_size", "n_embd", "d_model", "embedding_dim", "dim")
_PLACES: Final = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
_LONGEST_ROW: Final = 4096
_COUNTED: Final = ("window_size", "index_block_size", "floor_scale")
"""Settings of layers that ask where a token is in its row, from so many tokens on: a band, blocks of keys, a scale."""
_LAW_ROW: Final = 520
"""Tokens of the row in which a smaller one of these shows when a model is loaded (``core.engine.packing_law``)."""
_PICKED: Final = (
    ("index_topk",),
    ("indexer_budget",),
    ("keep_window_size",),
    ("index_topk_blocks", "index_block_size"),
)
"""Settings that say, multiplied, how many keys an attention picks by score; of equal ones, by their place in the row.

No probe can be sure to meet two that are equal. Where all keys of a row are picked, their place does not matter.
"""
_HEADS: Final = ("num_attention_heads", "n_head", "num_heads", "n_heads")
_FFN: Final = (
    "intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner", "dff", "dim_ff", "moe_intermediate_size",
    "shared_expert_intermediate_size", "mlp_dim",
)  # fmt: skip


def hidden_width(config: Any) -> int:
    """Return how wide the hidden states of a token are, all streams of it together."""
    streams = _first(config, ("hc_mult", "num_streams")) or 1
    return (_first(config, _HIDDEN) or 1) * streams


def vocabulary(config: Any) -> int:
    """Return the number of tokens that a model knows."""
    return _first(config, ("vocab_size", "unpadded_vocab_size")) or 1


def longest_row(config: Any) -> int:
    """Return how many tokens a row may have that requests share.

    Some layers have room for so many places only as a text may have, and some begin to count places in longer rows.
    """
    counted = [value for key in _COUNTED if type(value := getattr(config, key, None)) is int and value > _LAW_ROW]
    return min(_first(config, _PLACES) or _LONGEST_ROW, _LONGEST_ROW, *counted, *_picked(config))


def picks_among(config: Any, tokens: int) -> bool:
    """Return whether some attention does not see all keys of a text of so many tokens, but picks some by score."""
    return any(picked < tokens for picked in _picked(config))


def _picked(config: Any) -> list[int]:
    """Return how many keys are picked, by each setting or settings that say so."""
    found: list[list[Any]] = [[getattr(config, key, None) for key in keys] for keys in _PICKED]
    return [prod(values) for values in found if all(type(value) is int and value > 0 for value in values)]


def heads(config: Any) -> int:
    """Return the number of heads of an attention; 1 where there is none."""
    return _first(config, _HEADS) or 1


def attention_width(config: Any) -> int:
    """Return how wide the heads of an attention are together."""
    head = _first(config, ("head_dim",))
    return heads(config) * head if head else _first(config, _HIDDEN) or 1


def ffn_width(config: Any) -> int:
    """Return how wide the inside of a sublayer is at most, for one token.

    Of experts, those count that a token is routed to. Four times the hidden width is usual where nothing is said.
    """
    chosen = _first(config, ("num_experts_per_tok", "moe_topk", "moe_top_k", "moe_k", "top_k_experts")) or 1
    widths = [width for name in _FFN if (width := _first(config, (name,)))]
    inner = (_first(config, ("expand", "mamba_expand")) or 0) * hidden_width(config)
    return max(inner, *widths, chosen * min(widths)) if widths else max(inner, 4 * hidden_width(config))


def _first(config: Any, names: tuple[str, ...]) -> int | None:
    """Return the first of some settings that is a number; of several numbers, the largest."""
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, list | tuple) and value and all(type(each) is int for each in value):
            value = max(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return int(value)
    return None
