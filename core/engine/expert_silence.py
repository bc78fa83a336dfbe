"""Remove single experts by hooks: what an expert computes is left out of the sum, and no other expert gets its weight.

The router runs as before, so that weights are normalized over the experts that it chose, removed ones among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.models.layout import Experts

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""The positional arguments of a call, and those by name."""

_RowsOf = Callable[[tuple[Any, ...], Tensor, Tensor], Tensor]
"""From arguments, what was returned, and which experts each text lacks: which rows are theirs."""


def gone_from(experts: Experts, removed: Sequence[Sequence[int]]) -> Tensor:
    """Return which experts each text of a batch lacks, as booleans of shape (texts, experts).

    Args:
        experts: the experts of a layer.
        removed: the numbers of those that are removed, by text.
    """
    gone = torch.zeros(len(removed), experts.count, dtype=torch.bool)
    for row, numbers in zip(gone, removed, strict=True):
        row[list(numbers)] = True
    return gone


@contextmanager
def without_experts(layer: nn.Module, experts: Experts, removed: Tensor) -> Iterator[None]:
    """Let some experts of a layer add nothing inside the block.

    Args:
        layer: the layer.
        experts: its experts. Where they receive tokens in an order of their own, all texts must lack the same ones.
        removed: which experts each text of the batch lacks, as ``gone_from`` returns it; one row is for all texts.
    """
    module = layer.get_submodule(experts.path)
    if experts.form == "indexed":
        handle = module.register_forward_pre_hook(_without_weights(removed), with_kwargs=True)
    else:
        rows = _rows_of_block if experts.form == "blocked" else _rows_of_sorted
        handle = module.register_forward_hook(_without_rows(removed, rows))
    try:
        yield
    finally:
        handle.remove()


@dataclass(frozen=True, slots=True)
class Routing:
    """The experts of each token and their weights: two tensors of one shape, and the place or name of the second."""

    index: Tensor
    weights: Tensor
    place: int | str


def routing_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Routing | None:
    """Return the routing that a module receives; None if its arguments hold none."""
    given: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    tensors = [(place, value) for place, value in given if isinstance(value, Tensor)]
    for _, index in tensors:
        if index.dtype not in (torch.int64, torch.int32) or index.dim() < 2:
            continue
        for place, weights in tensors:
            if weights.is_floating_point() and weights.shape == index.shape:
                return Routing(index, weights, place)
    return None


def counts_of(args: tuple[Any, ...]) -> list[int] | None:
    """Return how many rows each expert has, of those that a module receives sorted; None if it receives no such."""
    rows, sizes = args if len(args) == 2 else (None, None)
    if isinstance(sizes, Tensor) and sizes.dim() == 1 and not sizes.is_floating_point():
        sizes = sizes.tolist()
    if not isinstance(rows, Tensor) or not isinstance(sizes, list) or not all(type(size) is int for size in sizes):
        return None
    return sizes if rows.dim() == 2 and sum(sizes) == rows.shape[0] else None


def _without_weights(removed: Tensor) -> Callable[..., Arguments]:
    """Return a hook that sets the weights of removed experts to zero."""

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        routing = routing_of(args, kwargs)
        if routing is None:
            raise RuntimeError("a module of experts received no routing")
        index = routing.index.long().flatten(0, -2)
        gone = _by_token(removed, len(index)).to(index.device).gather(1, index)
        weights = routing.weights.masked_fill(gone.view(routing.index.shape), 0)
        if isinstance(routing.place, str):
            return args, {**kwargs, routing.place: weights}
        return (*args[: routing.place], weights, *args[routing.place + 1 :]), kwargs

    return hook


def _without_rows(removed: Tensor, rows_of: _RowsOf) -> Callable[..., Tensor]:
    """Return a hook that sets the rows of removed experts to zero in what a module returns."""

    def hook(_module: nn.Module, args: tuple[Any, ...], out: Tensor) -> Tensor:
        gone = rows_of(args, out, removed).to(out.device)
        return out.masked_fill(gone[:, None], 0)

    return hook


def _rows_of_block(_args: tuple[Any, ...], out: Tensor, removed: Tensor) -> Tensor:
    return _by_token(removed, out.shape[0] // removed.shape[1]).T.flatten()


def _rows_of_sorted(args: tuple[Any, ...], _out: Tensor, removed: Tensor) -> Tensor:
    sizes = counts_of(args)
    if sizes is None:
        raise RuntimeError("a module of experts received no sorted rows")
    if not torch.equal(removed, removed[:1].expand_as(removed)):
        raise RuntimeError("a module of experts received sorted rows of texts that lack different experts")
    return removed[0].repeat_interleave(torch.tensor(sizes))


def _by_token(removed: Tensor, tokens: int) -> Tensor:
    """Return which experts each token lacks, of shape (tokens, experts); the tokens of a text follow one another."""
    return removed.repeat_interleave(tokens // len(removed), dim=0)
