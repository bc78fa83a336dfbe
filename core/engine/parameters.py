"""Parameters of a model and of its players: how much a removal saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from core.coalitions.players import Removed
from core.engine.layers import decoder_layers
from core.models.families import Family


@dataclass(frozen=True, slots=True)
class Parameters:
    """Counts of parameters: of the whole model, and of those that a removal makes useless.

    ``per_token`` counts of the experts of an MoE only those that one token is routed to; it is the same as the whole
    where there are none. Weights that are shared, such as tied embeddings, count once.
    """

    removed: int
    total: int
    removed_per_token: int
    total_per_token: int


def parameters_of(model: Any, family: Family, removed: Removed) -> Parameters:
    """How many parameters a model has, and how many of them belong to the players removed.

    A player's parameters are those of its attention or FFN (MoE, router included). The norms around it are not
    counted: some families share them between players, and they are few.

    Args:
        model: a transformers model of the family, wherever its weights lie.
        family: of the model.
        removed: the players.

    Raises:
        IndexError: the model has no such player.
    """
    layers = decoder_layers(model, family)
    gone = [part for number in removed for part in _parts(layers[number // 2], family, number)]
    used = _used(model.config.get_text_config())
    return Parameters(
        removed=_count(gone, 1.0),
        total=_count([model], 1.0),
        removed_per_token=_count(gone, used),
        total_per_token=_count([model], used),
    )


def _parts(layer: nn.Module, family: Family, number: int) -> list[nn.Module]:
    if number % 2 == 0:
        return [layer.get_submodule(family.attention)]
    feeds = [] if family.feeds_ffn is None else [layer.get_submodule(family.feeds_ffn)]
    return [layer.get_submodule(family.ffn), *feeds]


def _used(config: Any) -> float:
    """The part of the experts that a token is routed to."""
    experts = getattr(config, "num_local_experts", None)
    return config.num_experts_per_tok / experts if experts else 1.0


def _count(modules: Iterable[nn.Module], used: float) -> int:
    """Parameters of modules that share none with one another; stacked experts, which are 3D, count in part."""
    parameters = (parameter for module in modules for parameter in module.parameters())
    return sum(round(parameter.numel() * (used if parameter.dim() == 3 else 1.0)) for parameter in parameters)
