"""The arguments that a model passes to its layers, and how each of them depends on the texts.

A layer receives rotary embeddings, masks and other tensors, some of them inside dictionaries or tuples. Which of their
axes count texts, and which count tokens, shows when the model reads batches of two sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.engine.tracing import Received

Place = tuple[Any, ...]
"""Where a value is among the arguments: the argument's name, then keys and indices inside it."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of a tensor that depend on the texts.

    ``texts`` is the axis with ``each`` entries for every text of a batch, None if there is no such axis. ``tokens`` are
    the axes with an entry for each token, in order.
    """

    texts: int | None = None
    each: int = 1
    tokens: tuple[int, ...] = ()


OF_MASK: Final = Axes(0, 1, (2, 3))
"""An attention mask of shape (texts, heads or 1, queries, keys)."""

Spec = Mapping[Place, Axes]
"""The axes of the tensors among a layer's arguments."""


class NotShared(Exception):  # noqa: N818
    """The arguments of a row cannot be put together from those of its texts, so the texts must go by themselves."""


@dataclass(frozen=True, slots=True)
class LayerCall:
    """The arguments of a layer for one row, besides its hidden states.

    ``received`` holds them, for a batch of one. ``axes`` are those of its tensors.
    """

    received: Received
    axes: Spec
    _tiled: dict[int, Received] = field(default_factory=dict)

    def given_to(self, layer: nn.Module, states: Tensor) -> Any:
        """Return what the layer returns for states of shape (s, t, ...)."""
        return self.tiled(len(states)).given_to(layer, states)

    def tiled(self, count: int) -> Received:
        """Return the arguments for a batch of ``count`` times the same row."""
        if count == 1:
            return self.received
        if count not in self._tiled:
            self._tiled.clear()
            self._tiled[count] = changed(self.received, lambda place, value: self._tile(place, value, count))
        return self._tiled[count]

    def _tile(self, place: Place, value: Any, count: int) -> Any:
        axes = self.axes.get(place)
        if not isinstance(value, Tensor) or axes is None or axes.texts is None:
            return value
        shape = [1] * value.dim()
        shape[axes.texts] = count
        if value.shape[axes.texts] == 1:
            return value.expand(*[count if axis == axes.texts else -1 for axis in range(value.dim())])
        return value.repeat(shape)

    def at(self, places: Tensor) -> LayerCall:
        """Return the arguments for some positions of the row, which see one another only."""

        def chosen(place: Place, value: Any) -> Any:
            axes = self.axes.get(place)
            if isinstance(value, Tensor) and axes is not None:
                for axis in axes.tokens:
                    value = value.index_select(axis, places.to(value.device))
            return value

        return LayerCall(changed(self.received, chosen), self.axes)


def changed(received: Received, change: Callable[[Place, Any], Any]) -> Received:
    """Return arguments with each value replaced by ``change(place, value)``; the hidden states stay."""
    args = tuple(_changed(value, (index,), change) for index, value in enumerate(received.args))
    kwargs = {name: _changed(value, (name,), change) for name, value in received.kwargs.items()}
    return Received(received.hidden, received.keyword, args, kwargs)


def values_of(received: Received) -> Iterator[tuple[Place, Any]]:
    """Yield the arguments' values with their places; those inside dictionaries, lists and tuples one by one."""
    found: list[tuple[Place, Any]] = []

    def note(place: Place, value: Any) -> Any:
        found.append((place, value))
        return value

    changed(received, note)
    yield from found


def _changed(value: Any, place: Place, change: Callable[[Place, Any], Any]) -> Any:
    if type(value) is dict:
        return {key: _changed(each, (*place, key), change) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_changed(each, (*place, index), change) for index, each in enumerate(value))
    return change(place, value)


def spec_of(
    one: Received, other: Received, texts: tuple[int, int], tokens: tuple[int, int]
) -> dict[Place, Axes | None]:
    """Return the axes of arguments that were seen with two batches; None where they depend otherwise on the texts.

    Args:
        one: the arguments for the first batch.
        other: those for the second batch.
        texts: how many texts each batch has.
        tokens: how many tokens a text of each batch has.
    """
    before, after = dict(values_of(one)), dict(values_of(other))
    spec: dict[Place, Axes | None] = {}
    for place in before.keys() & after.keys():
        first, second = before[place], after[place]
        if isinstance(first, Tensor) and isinstance(second, Tensor):
            spec[place] = _axes(first.shape, second.shape, texts, tokens)
        elif isinstance(first, bool | int | float | str) and first != second:
            spec[place] = None
    return spec


def _axes(one: torch.Size, other: torch.Size, texts: tuple[int, int], tokens: tuple[int, int]) -> Axes | None:
    if len(one) != len(other):
        return None
    axes = Axes()
    for axis, (first, second) in enumerate(zip(one, other, strict=True)):
        if first == second:
            continue
        if (first, second) == tokens:
            axes = Axes(axes.texts, axes.each, (*axes.tokens, axis))
        elif axes.texts is None and first * texts[1] == second * texts[0] and first % texts[0] == 0:
            axes = Axes(axis, first // texts[0], axes.tokens)
        else:
            return None
    return axes if len(axes.tokens) <= 2 else None
