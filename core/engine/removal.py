"""Remove players from a loaded model: a silenced sublayer adds nothing, and its skip connection stays (f(x) = x)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.coalitions.players import Removed
from core.engine.expert_silence import gone_from, without_experts
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
        silent = zip(layers, layout.layers, layout.parts_of(removed), layout.experts_of(removed), strict=True)
        for layer, what, parts, gone in silent:
            stack.enter_context(zeroed(layer, parts))
            if what.experts is not None and gone:
                stack.enter_context(without_experts(layer, what.experts, gone_from(what.experts, [gone])))
        yield


def computes_as_its_class(module: nn.Module) -> bool:
    """Return whether a module has the forward of its class, beside what only fetches its weights."""
    own = vars(module).get("_old_forward") or vars(module).get("forward")
    return own is None or getattr(own, "__func__", None) is type(module).forward


@dataclass(frozen=True, slots=True)
class SilentLayer:
    """The parts of a layer that the texts of a batch lack.

    ``parts`` are submodules that are silent for some texts, and for which: booleans of shape (texts,). ``experts`` are
    booleans of shape (texts, experts), None where no text lacks one.
    """

    parts: Mapping[str, Tensor]
    experts: Tensor | None


SilentRows = tuple[SilentLayer, ...]
"""A ``SilentLayer`` for each layer."""


def silent_rows(layout: Layout, coalitions: Sequence[Removed]) -> SilentRows:
    """Return what is silent in a batch whose texts are under these coalitions, one each."""
    parts: list[defaultdict[str, Tensor]] = [
        defaultdict(lambda: torch.zeros(len(coalitions), dtype=torch.bool)) for _ in layout.layers
    ]
    for row, removed in enumerate(coalitions):
        for layer, silent in zip(parts, layout.parts_of(removed), strict=True):
            for part in silent:
                layer[part][row] = True
    gone = zip(*map(layout.experts_of, coalitions), strict=True)
    return tuple(
        SilentLayer(
            dict(silent), gone_from(what.experts, numbers) if what.experts is not None and any(numbers) else None
        )
        for what, silent, numbers in zip(layout.layers, parts, gone, strict=True)
    )


@contextmanager
def removed_in_rows(model: nn.Module, layout: Layout, silent: SilentRows) -> Iterator[None]:
    """Remove players from the texts of a batch inside the block, other ones from each; see ``removed_from``."""
    layers = decoder_layers(model, layout.path)
    with ExitStack() as stack:
        for layer, what, lacks in zip(layers, layout.layers, silent, strict=True):
            if lacks.parts:
                stack.enter_context(zeroed_in_rows(layer, lacks.parts))
            if what.experts is not None and lacks.experts is not None:
                stack.enter_context(without_experts(layer, what.experts, lacks.experts))
        yield
