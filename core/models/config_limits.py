"""Refuse a config.json whose numbers no model has, before anything is built from them. Light to import."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.machine.plain_text import short_repr
from core.machine.whole_number import whole

MOST_LAYERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Count:
    """The bounds of a count, both included. Some counts may be null, or a list with one for each layer."""

    most: int
    may_be_null: bool = False
    least: int = 1
    may_be_listed: bool = False


_LAYERS, _WIDTH, _HEADS = Count(MOST_LAYERS), Count(2**22), Count(2**16)
# A dense model of a family with experts has none of them, or null; so has one whose heads have another name.
_SOME_WIDTH, _SOME = Count(2**22, True, may_be_listed=True), Count(2**16, True, 0)
_DEPTHS: Final = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers")
"""Keys of a configuration that hold the number of layers, by family."""
_COUNTS: Final = {
    **dict.fromkeys(_DEPTHS, _LAYERS),
    "hidden_size": _WIDTH,
    "d_model": _WIDTH,
    "n_embd": _WIDTH,
    "intermediate_size": _SOME_WIDTH,
    "ffn_dim": _WIDTH,
    "n_inner": _SOME_WIDTH,
    "word_embed_proj_dim": _WIDTH,
    "head_dim": _SOME,
    "num_attention_heads": _HEADS,
    "num_heads": _HEADS,
    "n_head": _HEADS,
    "n_heads": _HEADS,
    "num_key_value_heads": Count(2**16, may_be_null=True, may_be_listed=True),
    "num_experts": _SOME,
    "num_local_experts": _SOME,
    "n_routed_experts": _SOME,
    "num_experts_per_tok": _SOME,
    "state_size": Count(2**22, may_be_null=True, least=0),
    "conv_kernel": Count(2**22, may_be_null=True, least=0),
    "vocab_size": Count(2**28),
    "num_labels": Count(2**16, may_be_null=True, least=0),  # transformers makes a name for each
    "max_position_embeddings": Count(2**40),
    "n_positions": Count(2**40),
    "n_ctx": Count(2**40),
    "sliding_window": Count(2**40, may_be_null=True, least=0),
}
_POSITIVE: Final = (
    "rms_norm_eps",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "rope_theta",
    "query_pre_attn_scalar",
    "final_logit_softcapping",
    "attn_logit_softcapping",
)
_MOST_NUMBER: Final = 2**53  # no number of a model is larger, and larger ones overflow in libraries
_MOST_ENTRIES: Final = 10_000


_TEXT_PARTS: Final = ("text_config", "language_config", "llm_config", "thinker_config")


def depth_of(config: Mapping[str, Any]) -> int | None:
    """Return the number of decoder layers that a configuration asks for, of its text part where it has several.

    None if it does not say, or only the defaults of its architecture do.
    """
    for part in (config.get(key) for key in _TEXT_PARTS):
        if isinstance(part, dict) and (depth := depth_of(part)) is not None:
            return depth
    found = (config.get(key) for key in _DEPTHS)
    return next((depth for depth in found if type(depth) is int), None)


def depths_in(config: Mapping[str, Any]) -> Iterator[int]:
    """Yield each number of layers that a configuration asks for, those of what sees or hears included."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from depths_in(value)
        elif key in _DEPTHS and type(value) is int:
            yield value


def refuse_numbers(config: Mapping[str, Any], path: Path) -> None:
    """Refuse counts that are no counts or out of bounds, anywhere in a configuration.

    Args:
        config: the content of a config.json.
        path: the file, which errors name.

    Raises:
        CornerstoneError: a number is wrong, or a list is longer than any model needs.
    """
    for key, value in config.items():
        if key in _COUNTS:
            by_layer = _COUNTS[key].may_be_listed and isinstance(value, list) and len(value) == depth_of(config)
            for one in value if by_layer else [value]:
                _refuse_count(path, key, one, _COUNTS[key])
        elif key in _POSITIVE:
            _refuse_unless_positive(path, key, value)
        else:
            _refuse_other(path, key, value)
    _refuse_uneven_heads(path, config)


def _refuse_count(path: Path, key: str, value: Any, bounds: Count) -> None:
    if value is None and bounds.may_be_null:
        return
    if type(value) is not int or not bounds.least <= value <= bounds.most:
        raise CornerstoneError(
            f"cannot load {path}: {key} is {short_repr(value)}, but must be a whole number from {bounds.least} "
            f"to {whole(bounds.most)}"
        )


def _refuse_unless_positive(path: Path, key: str, value: Any) -> None:
    if value is None:
        return
    if type(value) not in (int, float) or not 0 <= value <= _MOST_NUMBER:  # NaN fails the comparison
        raise CornerstoneError(
            f"cannot load {path}: {key} is {short_repr(value)}, but must be a number that is not negative"
        )


def _refuse_other(path: Path, key: str, value: Any) -> None:
    """Refuse numbers and lists of other keys only where they are beyond all bounds."""
    if isinstance(value, dict):
        refuse_numbers({str(inner): one for inner, one in value.items()}, path)
    elif isinstance(value, list):
        if len(value) > _MOST_ENTRIES and key not in {"id2label", "label2id"}:
            raise CornerstoneError(
                f"cannot load {path}: {key[:40]} has {whole(len(value))} entries, more than any model needs"
            )
        for one in value:
            _refuse_other(path, key, one)
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _MOST_NUMBER):
        raise CornerstoneError(
            f"cannot load {path}: {key[:40]} is {short_repr(value)}, which is beyond what any model needs"
        )


def _refuse_uneven_heads(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse heads of attention that cannot share the heads of keys and values evenly."""
    heads, shared = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if isinstance(heads, int) and isinstance(shared, int) and heads % shared:
        raise CornerstoneError(
            f"cannot load {path}: {heads} heads of attention cannot share {shared} heads of keys and values evenly"
        )
