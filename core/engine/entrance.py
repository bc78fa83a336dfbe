"""Run what a model does before its layers, and put together the arguments that each layer receives for a packed row.

The model reads each path of the row's tree as a plain text, while its layers stand aside. What a layer then receives
for the texts is gathered for the nodes of the row: an axis of tokens by depth, and two such axes closed where one node
is not an ancestor of the other. So nothing has to be known of masks, positions or embeddings of any family.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from core.engine.arguments import OF_MASK, Axes, LayerCall, NotShared, Place, changed, spec_of, values_of
from core.engine.gathering import Tree, shared_values_differ
from core.engine.packing import Row
from core.engine.removal import forward_replaced
from core.engine.silence import returned
from core.engine.tracing import Received, received_by
from core.models.layout import Layout

_MASKS = ("attention_mask", "causal_mask", "mask")
"""What layers call the mask of their attention. Where a model leaves it out, a token sees all tokens before it."""

_PROBES = (2, 3), (5, 7)
"""Texts of two batches, and tokens of a text in each: their ratios differ, so that no axis is taken for another one."""


@dataclass(frozen=True, slots=True)
class PathCalls:
    """The arguments of a layer that takes each path of a row by itself: the nodes of each path, and its call."""

    paths: tuple[tuple[Tensor, LayerCall], ...]


Call = LayerCall | PathCalls


@dataclass(frozen=True, slots=True)
class Entry:
    """A row after the embeddings: hidden states of shape (t, ...), and a call per layer; None for an idle one."""

    hidden: Tensor
    calls: tuple[Call | None, ...]


class Entrance:
    """The part of a model before its layers. All methods expect ``torch.inference_mode``."""

    def __init__(self, model: nn.Module, layers: Sequence[nn.Module], layout: Layout) -> None:
        self._model = model
        self._layers = layers
        self._layout = layout
        self._last = max(index for index, layer in enumerate(layout.layers) if layer.sublayers)
        self._masks = [_mask_names(layer) for layer in layers]
        self._specs: list[dict[Place, Axes | None]] | None = None

    def enter(self, row: Row, place: torch.device) -> Entry:
        """Embed a row, and find the arguments of each layer.

        Raises:
            NotShared: nodes that several requests share would receive different arguments, or they cannot be told.
        """
        tree = Tree.of(row, place)
        if len(tree) == 1:
            hidden, received = self._read(tree.texts)
            return Entry(hidden[0], self._alone(received, tree))
        hidden, received = self._read(tree.texts)
        specs = self._specs_of(tree.texts)
        self._refuse_unlike(tree, received, specs)
        calls: list[Call | None] = []
        done: dict[Any, Tensor] = {}
        for index, (layer, each) in enumerate(zip(self._layout.layers, received, strict=True)):
            packs = each is not None and layer.packs
            calls.append(self._gathered(index, each, specs[index], tree, done) if packs and each is not None else None)
        if not all(layer.packs for layer in self._layout.layers):
            self._add_paths(calls, tree)
        return Entry(tree.by_node(hidden), tuple(calls))

    def _read(self, texts: Tensor) -> tuple[Tensor, list[Received | None]]:
        """Return the hidden states after the embeddings, shape (texts, tokens, ...), and what each layer receives."""
        received: list[Received | None] = [None] * len(self._layers)
        hidden: list[Tensor] = []

        def recorder(index: int, returns: int | None) -> Callable[..., Any]:
            def record(*args: Any, **kwargs: Any) -> Any:
                found = received_by(args, kwargs)
                hidden.append(found.hidden)
                received[index] = replace(found, hidden=found.hidden.new_empty(0))
                if index == self._last:
                    raise _Entered
                return returned(found.hidden, returns)

            return record

        with ExitStack() as stack:
            for index, (layer, what) in enumerate(zip(self._layers, self._layout.layers, strict=True)):
                if what.sublayers:
                    stack.enter_context(forward_replaced(layer, recorder(index, what.returns)))
            with suppress(_Entered):
                self._model(input_ids=texts, use_cache=False)
        return hidden[0], received

    def _specs_of(self, texts: Tensor) -> list[dict[Place, Axes | None]]:
        """Return how the arguments of each layer depend on texts, found once from some of these tokens."""
        if self._specs is None:
            one, other = (
                self._read(_refolded(texts, count, length))[1] for count, length in zip(*_PROBES, strict=True)
            )
            self._specs = [
                {} if first is None or second is None else spec_of(first, second, *_PROBES)
                for first, second in zip(one, other, strict=True)
            ]
        return self._specs

    def _refuse_unlike(
        self, tree: Tree, received: Sequence[Received | None], specs: Sequence[dict[Place, Axes | None]]
    ) -> None:
        """Raise if a text receives other arguments by itself than beside a longer one, as by some rotary embeddings."""
        shortest, length = tree.shortest
        if length == tree.texts.shape[1]:
            return
        _, alone = self._read(tree.texts[shortest : shortest + 1, :length])
        seen: set[int] = set()
        for spec, one, beside in zip(specs, alone, received, strict=True):
            if one is None or beside is None:
                continue
            together = dict(values_of(beside))
            for place, value in values_of(one):
                axes = spec.get(place)
                if isinstance(value, Tensor) and axes is not None and id(value) not in seen:
                    seen.add(id(value))
                    if shared_values_differ(value, together.get(place), axes, shortest, length):
                        raise NotShared

    def _gathered(
        self, index: int, received: Received, spec: dict[Place, Axes | None], tree: Tree, done: dict[Any, Tensor]
    ) -> LayerCall:
        """Return a layer's arguments for the nodes of a tree; ``done`` keeps what layers have in common."""
        masks = self._masks[index]
        axes_of: dict[Place, Axes] = {}

        def gathered(place: Place, value: Any) -> Any:
            if value is None and place[0] in masks:
                axes_of[place] = OF_MASK
                if None not in done:
                    done[None] = tree.mask(self._model.dtype)  # type: ignore[arg-type]
                return done[None]
            axes = spec.get(place)
            if place in spec and axes is None:
                raise NotShared
            if not isinstance(value, Tensor):
                return value
            if axes is None:
                if place[0] not in masks or value.dim() != 4:
                    raise NotShared
                axes = Axes(0 if value.shape[0] == len(tree) else None, 1, (2, 3))
            axes_of[place] = axes
            key = (id(value), axes)
            if key not in done:
                done[key] = tree.gathered(value, axes)
            return done[key]

        return LayerCall(changed(received, gathered), axes_of)

    def _alone(self, received: Sequence[Received | None], tree: Tree) -> tuple[LayerCall | None, ...]:
        """Return the calls of a row that is one text, whose arguments stay as they are."""
        specs = self._specs_of(tree.texts)
        return tuple(
            None if each is None else LayerCall(each, self._known_axes(index, each, spec))
            for index, (each, spec) in enumerate(zip(received, specs, strict=True))
        )

    def _known_axes(self, index: int, received: Received, spec: dict[Place, Axes | None]) -> dict[Place, Axes]:
        """Return the axes of the tensors of a text by itself; those of a mask are known where its place is."""
        known = {place: axes for place, axes in spec.items() if axes is not None}
        for place, value in values_of(received):
            if place[0] in self._masks[index] and place not in spec and isinstance(value, Tensor) and value.dim() == 4:
                known[place] = OF_MASK
        return known

    def _add_paths(self, calls: list[Call | None], tree: Tree) -> None:
        """Add the calls of the layers that obey no tree mask: each path of the tree is read by itself."""
        found: dict[int, list[tuple[Tensor, LayerCall]]] = {
            index: [] for index, layer in enumerate(self._layout.layers) if not layer.packs
        }
        specs = self._specs_of(tree.texts)
        for path in tree.paths:
            _, received = self._read(tree.tokens[path][None])
            for index, paths in found.items():
                each = received[index]
                if each is not None:
                    paths.append((path, LayerCall(each, self._known_axes(index, each, specs[index]))))
        for index, paths in found.items():
            calls[index] = PathCalls(tuple(paths)) if paths else None


def _mask_names(layer: nn.Module) -> frozenset[Any]:
    """Return the names of the arguments that are attention masks, and their indices after the hidden states."""
    taken = [name for name in signature(type(layer).forward).parameters if name != "self"]
    return frozenset((*_MASKS, *(index - 1 for index, name in enumerate(taken) if name in _MASKS)))


def _refolded(texts: Tensor, count: int, length: int) -> Tensor:
    """Return ``count`` texts of a length, made of the tokens of others."""
    tokens = texts.flatten()
    return tokens.repeat(math.ceil(count * length / len(tokens)))[: count * length].view(count, length)


class _Entered(Exception):  # noqa: N818
    """Ends a forward once all layers have been called."""
