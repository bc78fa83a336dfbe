"""Remove players from a loaded model: a silenced sublayer adds nothing, and its skip connection stays (f(x) = x)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from core.coalitions.players import Removed
from core.engine.layers import decoder_layers
from core.engine.silence import zeroed, zeroed_in_rows
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
        for layer, parts in zip(layers, layout.parts_of(removed), strict=True):
            if parts:
                stack.enter_context(zeroed(layer, parts))
        yield


SilentRows = tuple[Mapping[str, Tensor], ...]
"""For each layer, its submodules that are silent for some texts of a batch, and for which."""


def silent_rows(layout: Layout, coalitions: Sequence[Removed]) -> SilentRows:
    """Return what is silent in a batch whose texts are under these coalitions, one each."""
    silent: list[defaultdict[str, Tensor]] = [
        defaultdict(lambda: torch.zeros(len(coalitions), dtype=torch.bool)) for _ in layout.layers
    ]
    for row, removed in enumerate(coalitions):
        for layer, parts in zip(silent, layout.parts_of(removed), strict=True):
            for part in parts:
                layer[part][row] = True
    return tuple(map(dict, silent))


@contextmanager
def removed_in_rows(model: nn.Module, layout: Layout, silent: SilentRows) -> Iterator[None]:
    """Remove players from the texts of a batch inside the block, other ones from each; see ``removed_from``."""
    layers = decoder_layers(model, layout.path)
    with ExitStack() as stack:
        for layer, parts in zip(layers, silent, strict=True):
            if parts:
                stack.enter_context(zeroed_in_rows(layer, parts))
        yield
