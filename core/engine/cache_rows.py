"""Repeat, choose and join the texts of a cache of past tokens, whatever its layers keep of them.

A layer of a cache is an object with tensors: keys and values, or the states of a convolution or a recurrence. The first
axis of each counts texts. ``core.engine.caching_law`` checks on the loaded model that this holds.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor


def repeated(layer: Any, count: int) -> Any:
    """Return a copy of a layer that has its only text ``count`` times."""
    return chosen(layer, torch.zeros(count, dtype=torch.long))


def chosen(layer: Any, texts: Tensor) -> Any:
    """Return a copy of a layer that has the texts of these numbers."""
    return _changed(layer, lambda value: value.index_select(0, texts.to(value.device)))


def joined(layers: Sequence[Any]) -> Any:
    """Return a layer that has the texts of several; all of them have read equally many tokens."""
    if len(layers) == 1:
        return layers[0]
    together = copy.copy(layers[0])
    vars(together).update(_together([vars(layer) for layer in layers]))
    return together


def is_empty(layer: Any) -> bool:
    """Return whether a layer has read nothing."""
    return not any(True for _ in _tensors(vars(layer)))


def size_of(layers: Sequence[Any]) -> int:
    """Return how many bytes layers keep."""
    return sum(tensor.nbytes for layer in layers for tensor in _tensors(vars(layer)))


def _of_texts(value: Any) -> bool:
    """Return whether a value is a tensor that has something for each text."""
    return isinstance(value, Tensor) and value.dim() > 0 and value.numel() > 0


def _tensors(value: Any) -> Iterator[Tensor]:
    if _of_texts(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _changed(layer: Any, change: Callable[[Tensor], Tensor]) -> Any:
    def inside(value: Any) -> Any:
        if _of_texts(value):
            return change(value)
        if isinstance(value, dict):
            return {key: inside(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(inside, value))
        return value

    other = copy.copy(layer)
    vars(other).update({name: inside(value) for name, value in vars(layer).items()})
    return other


def _together(values: Sequence[Any]) -> Any:
    first = values[0]
    if _of_texts(first):
        return torch.cat(list(values), dim=0)
    if isinstance(first, dict):
        return {key: _together([value[key] for value in values]) for key in first}
    if isinstance(first, list | tuple):
        return type(first)(_together(items) for items in zip(*values, strict=True))
    return first
