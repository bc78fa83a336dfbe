"""Count the parameters of a model and of its players, to say how much a removal saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from core.coalitions.players import Removed
from core.engine.experts import shares_met, stacks_of
from core.engine.layers import decoder_layers
from core.models.layout import Experts, Layout


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers of parameters: of the whole model, and of the removed players.

    The ``per_token`` counts include, of the experts of an MoE, only those that one token is routed to. Without experts
    they equal the other counts. Shared weights, such as tied embeddings, count once.
    """

    removed: int
    total: int
    removed_per_token: int
    total_per_token: int


def parameters_of(model: Any, layout: Layout, removed: Removed) -> Parameters:
    """Count the parameters of a model, and those of the removed players.

    A player's parameters are those of its submodules: of an MoE with its router, of an expert its own. The norms around
    it are not counted: some families share them between players, and they are few.

    Args:
        model: a transformers model, on any device.
        layout: the model's layout.
        removed: the numbers of the removed players.

    Raises:
        IndexError: the model has no such player.
    """
    layers = decoder_layers(model, layout.path)
    gone = [
        layer.get_submodule(part)
        for layer, parts in zip(layers, layout.parts_of(removed, feeds=True), strict=True)
        for part in parts
    ]
    config = model.config.get_text_config()
    removed_counts, counts = _counts(gone, config), _counts([model], config)
    experts = [
        _of_experts(layer, what.experts, len(numbers), config)
        for layer, what, numbers in zip(layers, layout.layers, layout.experts_of(removed), strict=True)
        if what.experts is not None
    ]
    return Parameters(
        removed_counts[0] + sum(count for count, _ in experts),
        counts[0],
        removed_counts[1] + sum(met for _, met in experts),
        counts[1],
    )


def _of_experts(layer: nn.Module, experts: Experts, gone: int, config: Any) -> tuple[int, int]:
    """Count the parameters of some experts of a layer, which have as many each: all, and those that one token meets."""
    count, met = _counts(stacks_of(layer, experts), config)
    return round(count * gone / experts.count), round(met * gone / experts.count)


def _counts(modules: Iterable[nn.Module], config: Any) -> tuple[int, int]:
    """Count the parameters of modules that share none with one another: all, and those that one token meets."""
    shares = [share for module in modules for share in shares_met(module, config)]
    sizes = [(parameter.numel(), part) for parameter, part in shares]
    return sum(size for size, _ in sizes), sum(round(size * part) for size, part in sizes)
