"""Tell whether two layers are the same but for weights and number, so that one shows what the other does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.engine.arguments import LayerCall, values_of
from core.engine.layers import make_of

_WEIGHTS: Final = frozenset({"_parameters", "_buffers", "_modules"})
_NUMBERS: Final = frozenset({"layer_idx", "layer_id", "layer_index"})
"""The names by which modules keep the number of their layer."""


def are_twins(config: Any, layers: Sequence[nn.Module], one: int, other: int) -> bool:
    """Return whether two layers do the same with their weights: what they keep besides is equal, hooks among it.

    Args:
        config: the model's configuration. Its settings by layer must be equal for both, as a layer may look them up.
        layers: the layers of the model.
        one: the index of a layer.
        other: that of another one.
    """
    first, second = layers[one], layers[other]
    modules = zip(first.modules(), second.modules(), strict=False)
    # The cheapest check comes first. It also tells most layers apart.
    return (
        all(_keep_alike(vars(mine), vars(its)) for mine, its in modules)
        and _set_alike(config, len(layers), one, other)
        and make_of(first) == make_of(second)
        and _hold_alike(dict(first.named_buffers()), dict(second.named_buffers()))
    )


def first_twins(config: Any, layers: Sequence[nn.Module]) -> list[int]:
    """Return for each layer the index of the first one that does the same with its weights: its own, if none does."""
    firsts: list[int] = []
    found: list[int] = []
    for index in range(len(layers)):
        first = next((other for other in firsts if are_twins(config, layers, index, other)), index)
        if first == index:
            firsts.append(index)
        found.append(first)
    return found


def receive_alike(one: LayerCall, other: LayerCall) -> bool:
    """Return whether two layers receive the same arguments for a row, besides hidden states."""
    mine, its = dict(values_of(one.received)), dict(values_of(other.received))
    return one.received.keyword == other.received.keyword and _same(mine, its)


def _set_alike(config: Any, count: int, one: int, other: int) -> bool:
    by_layer = [value for value in vars(config).values() if isinstance(value, list | tuple) and len(value) == count]
    return all(_same(value[one], value[other]) for value in by_layer)


def _keep_alike(mine: Mapping[str, Any], its: Mapping[str, Any]) -> bool:
    """Return whether two modules keep the same, but for weights and the number of their layer."""
    names = mine.keys() - _WEIGHTS
    return names == its.keys() - _WEIGHTS and all(
        _same(mine[name], its[name]) or (name in _NUMBERS and type(mine[name]) is type(its[name]) is int)
        for name in names
    )


def _hold_alike(mine: Mapping[str, Tensor], its: Mapping[str, Tensor]) -> bool:
    """Return whether two layers have the same buffers."""
    return mine.keys() == its.keys() and all(
        mine[name].shape == its[name].shape and torch.equal(mine[name], its[name]) for name in mine
    )


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same for certain."""
    if one is other:
        return True
    if type(one) is not type(other) or isinstance(one, Tensor):
        return False
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool | int | float | str | set | frozenset) and bool(one == other)
