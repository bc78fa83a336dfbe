"""Remove players from a loaded model: a silenced sublayer adds nothing, and its skip connection stays (f(x) = x)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from core.coalitions.players import Removed
from core.engine.expert_silence import without_experts
from core.engine.layers import decoder_layers
from core.engine.silence import zeroed
from core.models.layout import Layout


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
def removed_from(model: nn.Module, layout: Layout, removed: Removed) -> Iterator[None]:
    """Remove players from a whole model inside the block: the simple way, for one coalition at a time.

    The sublayers still run, so that a cache of past tokens is as the model expects it; what they return becomes zero.
    """
    layers = decoder_layers(model, layout.path)
    with ExitStack() as stack:
        silent = zip(layers, layout.layers, layout.parts_of(removed), layout.experts_of(removed), strict=True)
        for layer, what, parts, gone in silent:
            stack.enter_context(zeroed(layer, parts))
            if what.experts is not None and gone:
                stack.enter_context(without_experts(layer, what.experts, gone))
        yield
