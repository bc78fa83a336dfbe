"""Removing players from a live model: a silenced submodule adds nothing, its skip connection stays (f(x) = x)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from core.architectures import Family, decoder_layers
from core.players import Removed


@contextmanager
def forward_replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Let ``module`` compute ``forward`` inside the block; hooks that live on the instance come back after it."""
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
            stack.enter_context(forward_replaced(submodule, _no_attention))
        if ffn:
            submodule = layer.get_submodule(family.ffn)
            width = submodule.out_features if isinstance(submodule, nn.Linear) else None
            stack.enter_context(forward_replaced(submodule, _NoFfn(width)))
        yield


@contextmanager
def removed_from(model: Any, family: Family, removed: Removed) -> Iterator[None]:
    """Remove players from a whole model inside the block: the plain way, one coalition at a time."""
    layers = decoder_layers(model, family)
    with ExitStack() as stack:
        for number in removed:
            layer = layers[number // 2]
            stack.enter_context(silenced(layer, family, attention=number % 2 == 0, ffn=number % 2 == 1))
        yield


def _no_attention(*args: Any, **kwargs: Any) -> tuple[torch.Tensor, None]:
    hidden: torch.Tensor = args[0] if args else kwargs["hidden_states"]
    return hidden.new_zeros(1).expand_as(hidden), None


class _NoFfn:
    """An FFN that adds nothing. ``width`` is the size of its output where that differs from its input's."""

    def __init__(self, width: int | None) -> None:
        self._width = width

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden.new_zeros(1).expand(*hidden.shape[:-1], self._width or hidden.shape[-1])
