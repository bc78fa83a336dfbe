"""Which kind a player is: by whether it mixes tokens, and by its classes and weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from torch import nn

from core.coalitions.players import PlayerKind

_ATTENTION: Final = re.compile(r"att(n|ention)|mla\b|mla_", re.I)
_MIXERS: Final[tuple[tuple[PlayerKind, re.Pattern[str]], ...]] = (
    ("linear", re.compile(r"delta|kda|lightning|linear_?attention|retention|rglru|recurrent_?block|lstm|rwkv", re.I)),
    ("ssm", re.compile(r"mamba|ssm", re.I)),
    ("conv", re.compile(r"conv", re.I)),
    ("attn", _ATTENTION),
)


def mixer_kind(model: nn.Module, layer: nn.Module, parts: Sequence[str]) -> PlayerKind:
    """Return the kind of a player that mixes tokens; ``mixer`` for two of different kinds, and for an unknown one."""
    kinds = {_mixer(model, layer, part) for part in parts}
    return kinds.pop() if len(kinds) == 1 else "mixer"


def channel_kind(layer: nn.Module, parts: Sequence[str]) -> PlayerKind:
    """Return the kind of a player that treats each token by itself: ``moe`` if it has experts, else ``ffn``."""
    return "moe" if any(_has_experts(layer, part) for part in parts) else "ffn"


def called_attention(model: nn.Module, layer: nn.Module, part: str) -> bool:
    """Return whether a part is called attention: it is a mixer even if it reads keys that another layer left."""
    return bool(_ATTENTION.search(" ".join([*_own_names(model, layer, part), part])))


def _mixer(model: nn.Module, layer: nn.Module, part: str) -> PlayerKind:
    classes = [type(module).__name__ for module in _chain(layer, part)]
    named = _own_names(model, layer, part)
    weights = {name.rpartition(".")[2] for name, _ in layer.get_submodule(part).named_parameters()}
    for texts in (named, [part], classes):
        for kind, pattern in _MIXERS:
            if any(pattern.search(text) for text in texts):
                return kind
        if {"A_log", "D"} <= weights:
            return "ssm"
    return "mixer"


def _own_names(model: nn.Module, layer: nn.Module, part: str) -> list[str]:
    """Return the names of classes without the family's, such as ``Attention`` for ``RecurrentGemmaAttention``."""
    classes = [type(module).__name__ for module in _chain(layer, part)]
    return [name[len(_common(type(model).__name__, name)) :] for name in classes]


def _chain(layer: nn.Module, part: str) -> list[nn.Module]:
    """Return the submodules of a layer on the way to a part, the outermost first."""
    names = part.split(".")
    chain = [layer.get_submodule(".".join(names[: end + 1])) for end in range(len(names))]
    return [module for module in chain if not isinstance(module, nn.ModuleList)]


def _common(one: str, other: str) -> str:
    """Return the longest beginning that two names share, cut where a word of the second one begins."""
    length = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    shared = other[: min(len(one), len(other)) if length is None else length]
    if len(shared) < len(other) and not other[len(shared)].isupper():
        shared = shared[: max((at for at, letter in enumerate(shared) if letter.isupper()), default=0)]
    return shared


def _has_experts(layer: nn.Module, part: str) -> bool:
    # A part such as the last product of a sublayer stands for the whole of it.
    top = layer.get_submodule(part.partition(".")[0])
    whole = layer.get_submodule(part) if isinstance(top, nn.ModuleList) else top
    names = [part, *(name for name, _ in whole.named_parameters())]
    return any("expert" in text.lower() for text in [*names, *(type(module).__name__ for module in whole.modules())])
