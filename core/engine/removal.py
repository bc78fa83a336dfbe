"""Remove players from a loaded model: a silenced sublayer adds nothing, and its skip connection stays (f(x) = x)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from core.coalitions.players import Removed
from core.engine.layers import decoder_layers
from core.models.families import Family


@contextmanager
def forward_replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Replace the forward method of ``module`` inside the block.

    A forward that was set on the instance before, for example by a hook, is restored afterwards.
    """
    before = module.__dict__.get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


@contextmanager
def silenced(layer: nn.Module, family: Family, *, attention: bool, ffn: bool) -> Iterator[None]:
    """Silence a layer's attention, its FFN, or both, inside the block."""
    with ExitStack() as stack:
        if attention:
            submodule = layer.get_submodule(family.attention)
            stack.enter_context(forward_replaced(submodule, _NoAttention(getattr(submodule, "layer_idx", None))))
        if ffn:
            for name in filter(None, (family.feeds_ffn, family.ffn)):
                submodule = layer.get_submodule(name)
                width = submodule.out_features if isinstance(submodule, nn.Linear) else None
                stack.enter_context(forward_replaced(submodule, _NoFfn(width)))
        yield


@contextmanager
def removed_from(model: Any, family: Family, removed: Removed) -> Iterator[None]:
    """Remove players from a whole model inside the block: the simple way, for one coalition at a time."""
    layers = decoder_layers(model, family)
    with ExitStack() as stack:
        for number in removed:
            layer = layers[number // 2]
            stack.enter_context(silenced(layer, family, attention=number % 2 == 0, ffn=number % 2 == 1))
        yield


class _NoAttention:
    """An attention that adds nothing.

    When the model generates text, it still fills its cache, because the model derives the number of past tokens from
    it.
    """

    def __init__(self, layer_index: int | None) -> None:
        self._layer_index = layer_index

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, None]:
        hidden: torch.Tensor = args[0] if args else kwargs["hidden_states"]
        past = kwargs.get("past_key_values", kwargs.get("layer_past"))
        if past is not None and self._layer_index is not None:
            heads, width = _cached_shape(past, self._layer_index)
            nothing = hidden.new_zeros(hidden.shape[0], heads, hidden.shape[1], width)
            past.update(nothing, nothing, self._layer_index)
        return hidden.new_zeros(1).expand_as(hidden), None


def _cached_shape(past: Any, layer_index: int) -> tuple[int, int]:
    """Return the number of heads and the head width of a layer's cache, or (1, 1) while the cache is empty."""
    layers = past.layers
    keys = layers[layer_index].keys if layer_index < len(layers) else None
    return (1, 1) if keys is None or keys.dim() < 4 else (keys.shape[1], keys.shape[3])


class _NoFfn:
    """An FFN that adds nothing. ``width`` is its output size where that differs from its input size."""

    def __init__(self, width: int | None) -> None:
        self._width = width

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden.new_zeros(1).expand(*hidden.shape[:-1], self._width or hidden.shape[-1])
