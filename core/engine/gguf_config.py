"""Hold the configuration that transformers makes of a GGUF file against what the file says.

Transformers takes some of a file's numbers, and the defaults of an architecture in place of the others. Such a model
would run, and be another one. Numbers that it leaves out are put in here; a file that says more than that is refused.
The meaning of the numbers is that of llama.cpp, which writes and reads such files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from transformers import PretrainedConfig

from core.errors import CornerstoneError
from core.models.gguf_header import GgufHeader

ROPE_FACTORS: Final = "rope_freqs.weight"
"""The tensor by which frequencies of rotary embeddings are divided, in files of Llama 3.1 and later."""
_LLAMA_3: Final = tuple((factor, 1.0, 4.0, 8192) for factor in (8.0, 32.0))
"""The scalings of Llama 3.1 and 3.3, and of 3.2: factor, low and high frequency factor, original positions."""
_LAYERS_OF_27B: Final = {"gemma2": 46, "gemma3_text": 62}
"""Gemma 2 and 3 of this many layers scale attention by the width of the model per head, not by that of a head."""
_EPSILONS: Final = ("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps")
# Their shapes or counts show in the tensors, or transformers takes them.
_SEEN: Final = frozenset({
    "block_count", "embedding_length", "feed_forward_length", "vocab_size", "attention.head_count",
    "attention.head_count_kv", "expert_count",
    "ssm.conv_kernel", "ssm.state_size", "ssm.time_step_rank", "ssm.inner_size", "shortconv.l_cache",
    "tensor_data_layout", "pooling_type", "rope.scaling.finetuned",
})  # fmt: skip
# These change nothing at these values.
_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "attention.causal": (True,),
    "attention.max_alibi_bias": (8.0,),
    "attention.clamp_kqv": (0.0,),
    "attention.scale": (0.0,),
    "embedding_scale": (0.0, 1.0),
    "residual_scale": (0.0, 1.0),
    "logit_scale": (0.0, 1.0),
    "expert_weights_scale": (0.0, 1.0),
    "expert_gating_func": (1,),
    "leading_dense_block_count": (0,),
    "nextn_predict_layers": (0,),
    "expert_shared_count": (0,),
    "ssm.dt_b_c_rms": (False,),
    "ssm.group_count": (0,),
}


def suit_to_file(config: PretrainedConfig, header: GgufHeader, path: Path) -> frozenset[str]:
    """Put what a GGUF file says of its model into the configuration that transformers made of it.

    Args:
        config: the configuration, which is changed.
        header: the header of the file.
        path: the file.

    Returns:
        the tensors whose content is now in the configuration.

    Raises:
        CornerstoneError: the file says something that the configuration has no place for.
    """
    if header.architecture in _told_in_full():
        return frozenset()
    _Suited(config, header, path).suit()
    return _rope_factors(config, header, path)


def _told_in_full() -> frozenset[str]:
    """Return the architectures of which transformers takes all numbers."""
    try:
        from transformers.integrations.gguf.gguf_config_mapping import GGUF_CONFIG_ARCHS
    except ImportError:  # an earlier transformers
        return frozenset()
    return frozenset(GGUF_CONFIG_ARCHS)


class _Suited:
    """A configuration while the numbers of a file are put into it."""

    def __init__(self, config: PretrainedConfig, header: GgufHeader, path: Path) -> None:
        self._config = config
        self._header = header
        self._path = path

    def suit(self) -> None:
        """Put in all numbers of the file.

        Raises:
            CornerstoneError: there is no place for one.
        """
        prefix = f"{self._header.architecture}."
        own = {key.removeprefix(prefix): one for key, one in self._header.metadata.items() if key.startswith(prefix)}
        put: dict[str, Callable[[Any], bool]] = {
            "context_length": lambda value: self._put(("n_positions", "max_position_embeddings"), value) or True,
            "attention.key_length": lambda count: self._put(("head_dim",), count) or count == self._head_width(),
            "attention.value_length": lambda count: bool(count == self._head_width()),
            "rope.freq_base": lambda value: self._put_rope(rope_theta=float(value)),
            "rope.dimension_count": self._put_rotated,
            "attention.layer_norm_rms_epsilon": lambda value: self._put(_EPSILONS, float(value)),
            "attention.layer_norm_epsilon": lambda value: self._put(_EPSILONS, float(value)),
            "attention.sliding_window": self._put_window,
            "attn_logit_softcapping": lambda value: self._put(("attn_logit_softcapping",), float(value)),
            "final_logit_softcapping": lambda value: self._put(("final_logit_softcapping",), float(value)),
            "expert_feed_forward_length": lambda value: self._put(("moe_intermediate_size",), value) or True,
            "expert_shared_feed_forward_length": (
                lambda value: self._put(("shared_expert_intermediate_size",), value) or True
            ),
            "expert_used_count": lambda value: self._put(("num_experts_per_tok",), value),
            "expert_weights_norm": lambda value: self._put(("norm_topk_prob",), bool(value)),
            "use_parallel_residual": lambda value: self._put(("use_parallel_residual",), bool(value)),
        }
        for key in sorted(own, key=[*put, *own].index):  # how many of a head's numbers are rotated: once that is known
            value = own[key]
            if key in _SEEN or key.startswith("rope.scaling."):
                continue
            fits = put[key](value) if key in put else value in _NEUTRAL.get(key, ())
            if not fits:
                raise self._refused(f"it says that {prefix}{key[:80]} is {str(value)[:60]}")
        self._put_scaling(own)
        self._put_attention_scale()

    def _put(self, names: tuple[str, ...], value: Any) -> bool:
        """Set the first of these attributes that the configuration has. Return whether it has one."""
        name = next((name for name in names if hasattr(self._config, name)), None)
        if name is not None:
            setattr(self._config, name, value)
        return name is not None

    def _rope(self) -> dict[str, Any] | None:
        """Return the parameters of the rotary embeddings; those of full attention, where there are several."""
        found = getattr(self._config, "rope_parameters", None)
        if not isinstance(found, dict):
            return None
        inner = found.get("full_attention")
        return inner if isinstance(inner, dict) else found

    def _put_rope(self, **settings: Any) -> bool:
        rope = self._rope()
        if rope is not None:
            rope.update(settings)
        return rope is not None

    def _put_rotated(self, count: Any) -> bool:
        """Set how many numbers of a head are rotated. Return whether the architecture rotates as many."""
        rope, width = self._rope(), self._head_width()
        if rope is None or width is None:
            return rope is None  # nothing is rotated
        if count == round(width * rope.get("partial_rotary_factor", 1)):
            return True
        default = getattr(type(self._config)(), "rope_parameters", None)
        if isinstance(default, dict) and "partial_rotary_factor" in default:
            rope["partial_rotary_factor"] = count / width
            return True
        return False

    def _head_width(self) -> int | None:
        config = self._config
        heads, width = getattr(config, "num_attention_heads", None), getattr(config, "hidden_size", None)
        named = getattr(config, "head_dim", None)
        return named or (width // heads if heads and width else None)

    def _put_window(self, count: Any) -> bool:
        longest = getattr(self._config, "max_position_embeddings", None)
        return self._put(("sliding_window",), count) or (isinstance(longest, int) and count >= longest)

    def _put_scaling(self, own: Mapping[str, Any]) -> None:
        said = {key.removeprefix("rope.scaling."): one for key, one in own.items() if key.startswith("rope.scaling.")}
        kind, factor = said.pop("type", None), said.pop("factor", None)
        said.pop("finetuned", None)
        positions = said.pop("original_context_length", None)
        if kind in (None, "none") and factor in (None, 0.0, 1.0) and not said:
            return
        settings = {"rope_type": kind, "factor": factor}
        if kind == "yarn":
            settings["original_max_position_embeddings"] = positions
        known = kind in ("linear", "yarn") and factor and not said and (kind == "linear" or positions)
        if not known or not self._put_rope(**settings):
            raise self._refused(f"it scales rotary embeddings by {str(kind)[:60]!r} with {len(said) + 1} numbers")

    def _put_attention_scale(self) -> None:
        """Set the number that Gemma divides attention by, which no file says."""
        config = self._config
        if hasattr(config, "query_pre_attn_scalar"):
            large = _LAYERS_OF_27B.get(config.model_type) == config.num_hidden_layers
            width = config.hidden_size // config.num_attention_heads if large else config.head_dim
            config.query_pre_attn_scalar = width

    def _refused(self, what: str) -> CornerstoneError:
        return CornerstoneError(
            f"cannot read {self._path} as a GGUF model ({what}, which transformers leaves out; without that it would "
            "be another model)"
        )


def _rope_factors(config: PretrainedConfig, header: GgufHeader, path: Path) -> frozenset[str]:
    """Put the factors of rotary frequencies into a configuration, if a file has them and they are Llama's."""
    if ROPE_FACTORS not in header.sizes:
        return frozenset()
    from gguf import GGUFReader

    tensor = next(one for one in GGUFReader(path).tensors if one.name == ROPE_FACTORS)
    factors = np.asarray(tensor.data, dtype=np.float64).ravel()
    rope = getattr(config, "rope_parameters", None)
    if isinstance(rope, dict) and np.allclose(factors, 1):
        return frozenset({ROPE_FACTORS})
    if isinstance(rope, dict) and "rope_theta" in rope and rope.get("rope_type", "default") == "default":
        for scaling in _LLAMA_3:
            expected = _llama_3_factors(rope["rope_theta"], len(factors), *scaling)
            if np.allclose(factors, expected, rtol=1e-3):
                factor, low, high, positions = scaling
                rope |= {"rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high}
                rope["original_max_position_embeddings"] = positions
                return frozenset({ROPE_FACTORS})
    raise CornerstoneError(
        f"cannot read {path} as a GGUF model (its rotary frequencies are scaled by {ROPE_FACTORS} in a way that no "
        "known Llama has; use the model's original weights)"
    )


def _llama_3_factors(base: float, count: int, factor: float, low: float, high: float, positions: int) -> Any:
    """Return by how much each frequency is divided: long waves by ``factor``, short ones not, others in between."""
    waves = 2 * math.pi * base ** (np.arange(count) / count)
    smooth = np.clip((positions / waves - low) / (high - low), 0, 1)
    return 1 / ((1 - smooth) / factor + smooth)
