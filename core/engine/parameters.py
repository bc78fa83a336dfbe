"""Count the parameters of a model and of its players, to say how much a removal saves."""

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
    """Numbers of parameters: of the whole model, and of the removed players.

    The ``per_token`` counts include, of the experts of an MoE, only those that one token is routed to. Without experts
    they equal the other counts. Shared weights, such as tied embeddings, count once.
    """

    removed: int
    total: int
    removed_per_token: int
    total_per_token: int


def parameters_of(model: Any, family: Family, removed: Removed) -> Parameters:
    """Count the parameters of a model, and those of the removed players.

    A player's parameters are those of its attention or FFN (MoE, router included). The norms around it are not counted:
    some families share them between players, and they are few.

    Args:
        model: a transformers model of the family, on any device.
        family: the model's family.
        removed: the numbers of the removed players.

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
    """Return the modules that make up a player."""
    if number % 2 == 0:
        return [layer.get_submodule(family.attention)]
    feeds = [] if family.feeds_ffn is None else [layer.get_submodule(family.feeds_ffn)]
    return [layer.get_submodule(family.ffn), *feeds]


def _used(config: Any) -> float:
    """Return the fraction of experts that a token is routed to."""
    experts = getattr(config, "num_local_experts", None)
    return config.num_experts_per_tok / experts if experts else 1.0


def _count(modules: Iterable[nn.Module], used: float) -> int:
    """Count the parameters of modules that share none with one another.

    Stacked experts are 3-D tensors; the fraction ``used`` of them counts.
    """
    parameters = (parameter for module in modules for parameter in module.parameters())
    return sum(round(parameter.numel() * (used if parameter.dim() == 3 else 1.0)) for parameter in parameters)
