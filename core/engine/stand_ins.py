"""Remove players of a layer at no cost: where it is known what a sublayer returns, zeros of that form take its place.

What it returns is seen in one run of the layer, and a second run tells whether the layer with zeros in its place is the
layer with the sublayer silenced, bit by bit. Where it is not, the sublayer runs and its output is set to zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.engine.removal import forward_replaced
from core.engine.silence import first_of, returned, zeroed
from core.engine.twins import first_twins
from core.models.layout import Sublayer

Run = Callable[[], Tensor]
"""Runs a layer as it is now, and returns its hidden states."""


@dataclass(frozen=True, slots=True)
class Zeros:
    """The forward of a submodule that adds nothing: zeros of ``width`` for each place of its input.

    ``count`` is the length of the tuple that it returns, whose first they are; None for a tensor alone.
    """

    width: int
    dtype: torch.dtype
    count: int | None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = _input(args, kwargs)
        assert given is not None
        nothing = given.new_zeros(1, dtype=self.dtype).expand(*given.shape[:-1], self.width)
        return returned(nothing, self.count)


class StandIns:
    """Silences players of a model's layers; what it learns of one layer serves all that are its twins.

    Layers that are made alike will not do: one may read more of what a sublayer returns than another one.
    """

    def __init__(self, config: Any, layers: Sequence[nn.Module]) -> None:
        self._layers = layers
        self._first = first_twins(config, layers)
        self._known: dict[tuple[int, Sublayer], dict[str, Zeros]] = {}

    @contextmanager
    def silenced(self, index: int, sublayers: Sequence[Sublayer], run: Run) -> Iterator[None]:
        """Silence players of a layer inside the block. ``run`` runs the layer on an example, where that is needed."""
        layer = self._layers[index]
        with ExitStack() as stack:
            for sublayer in sublayers:
                stack.enter_context(_replaced(layer, sublayer, self._zeros(index, sublayer, run)))
            yield

    def stand_for_all(self, index: int, sublayers: Sequence[Sublayer], run: Run) -> bool:
        """Return whether nothing of these players runs where they are silenced."""
        return all(set(sublayer.parts) <= set(self._zeros(index, sublayer, run)) for sublayer in sublayers)

    def _zeros(self, index: int, sublayer: Sublayer, run: Run) -> dict[str, Zeros]:
        key = (self._first[index], sublayer)
        if key not in self._known:
            self._known[key] = _learnt(self._layers[index], sublayer, run)
        return self._known[key]


@contextmanager
def _replaced(layer: nn.Module, sublayer: Sublayer, known: dict[str, Zeros]) -> Iterator[None]:
    """Silence a player inside the block, by zeros where they are known."""
    with ExitStack() as stack:
        stack.enter_context(zeroed(layer, [part for part in sublayer.parts if part not in known]))
        for part, zeros in known.items():
            stack.enter_context(forward_replaced(layer.get_submodule(part), zeros))
        yield


def _learnt(layer: nn.Module, sublayer: Sublayer, run: Run) -> dict[str, Zeros]:
    """Return zeros for those submodules of a player that can be replaced: all of them, its parts only, or none."""
    with zeroed(layer, sublayer.parts):
        seen, truth = _watched(layer, (*sublayer.parts, *sublayer.feeds), run)
    for parts in ((*sublayer.parts, *sublayer.feeds), sublayer.parts):
        zeros = {part: seen[part] for part in parts if part in seen}
        if len(zeros) == len(parts) and _gives(layer, zeros, run, truth):
            return zeros
    return {}


def _gives(layer: nn.Module, zeros: dict[str, Zeros], run: Run, truth: Tensor) -> bool:
    """Return whether the layer with zeros in place of submodules returns the truth."""
    with ExitStack() as stack:
        for part, each in zeros.items():
            stack.enter_context(forward_replaced(layer.get_submodule(part), each))
        try:
            found = run()
        except (RuntimeError, TypeError, ValueError, AttributeError, IndexError, AssertionError):
            return False  # the layer wants more of the submodule than zeros
    return torch.equal(found, truth)


def _watched(layer: nn.Module, parts: Sequence[str], run: Run) -> tuple[dict[str, Zeros], Tensor]:
    """Return what submodules return in one run, in a form that can be made from their input; and the run's result."""
    seen: dict[str, Zeros] = {}

    def keeper(part: str) -> Any:
        def keep(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
            first, given = first_of(out), _input(args, kwargs)
            if given is not None and given.shape[:-1] == first.shape[:-1] and given.device == first.device:
                count = len(out) if isinstance(out, tuple) else None
                seen[part] = Zeros(first.shape[-1], first.dtype, count)

        return keep

    with ExitStack() as hooks:
        for part in parts:
            handle = layer.get_submodule(part).register_forward_hook(keeper(part), with_kwargs=True)
            hooks.callback(handle.remove)
        return seen, run()


def _input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the first tensor that a submodule receives."""
    return next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
