"""Silence submodules by hooks: what they return first becomes zero, whatever else they return stays.

The submodule itself still runs, so that every cache, router and shared state is as the model expects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def zeroed(layer: nn.Module, parts: Iterable[str]) -> Iterator[None]:
    """Let submodules of a layer, given as dotted paths, return zeros inside the block."""
    handles = [layer.get_submodule(part).register_forward_hook(_zeros) for part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def zeroed_in_rows(layer: nn.Module, parts: Mapping[str, Tensor]) -> Iterator[None]:
    """Let submodules of a layer return zeros for some texts of a batch inside the block.

    Args:
        layer: the layer.
        parts: for each submodule, as a dotted path, which texts it is silent for: booleans of shape (texts,).
    """
    handles = [layer.get_submodule(part).register_forward_hook(_zeros_in(rows)) for part, rows in parts.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watched(layer: nn.Module, parts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield a dictionary that receives what submodules of a layer return inside the block, by their paths.

    The paths stand in the order in which the submodules first return. A submodule that is zeroed inside the block shows
    what it returned before that.
    """
    seen: dict[str, Any] = {}

    def keeper(part: str) -> Any:
        def keep(_module: nn.Module, _inputs: Any, out: Any) -> None:
            first = first_of(out).clone()  # some layers go on to add to it in place
            seen[part] = first if isinstance(out, Tensor) else (first, *out[1:])

        return keep

    handles = [layer.get_submodule(part).register_forward_hook(keeper(part)) for part in parts]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def first_of(out: Any) -> Tensor:
    """Return the tensor that a module returns, or the first of several.

    Raises:
        TypeError: the module returns something else.
    """
    first = out[0] if isinstance(out, (tuple, list)) and out else out
    if not isinstance(first, Tensor):
        raise TypeError(f"a module returned {type(first).__name__}, not a tensor")
    return first


def returned(first: Tensor, count: int | None) -> Any:
    """Return a tensor as a module does: alone, or first in a tuple of ``count``."""
    return first if count is None else (first, *[None] * (count - 1))


def _zeros(_module: nn.Module, _inputs: Any, out: Any) -> Any:
    return _with_first(out, torch.zeros_like(first_of(out)))


def _zeros_in(rows: Tensor) -> Any:
    """Return a hook that zeroes rows of a batch. A module may return the tokens of all texts in one line."""

    def silence(_module: nn.Module, _inputs: Any, out: Any) -> Any:
        first = first_of(out)
        by_text = first.reshape(len(rows), -1)
        return _with_first(out, by_text.masked_fill(rows.to(first.device)[:, None], 0).reshape(first.shape))

    return silence


def _with_first(out: Any, first: Tensor) -> Any:
    return type(out)((first, *out[1:])) if isinstance(out, (tuple, list)) else first
