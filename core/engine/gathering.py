"""Gather what a model makes of plain texts for the nodes of a packed row, whose paths these texts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.engine.arguments import Axes, NotShared
from core.engine.packing import Row


@dataclass(frozen=True, slots=True)
class Tree:
    """The paths of a row of ``t`` nodes, from a root to a leaf each.

    ``tokens`` has shape (t,); ``paths`` has the nodes of each path; ``texts`` their tokens, of shape (paths, longest),
    a shorter one filled up with its last token. ``home`` and ``depth``, of shape (t,), are a path that holds a node,
    and the node's place in it. ``visible`` has shape (t, t): [q, k] is true where k is q or an ancestor of q.
    """

    tokens: Tensor
    paths: tuple[Tensor, ...]
    texts: Tensor
    home: Tensor
    depth: Tensor
    visible: Tensor

    @classmethod
    def of(cls, row: Row, place: torch.device) -> Tree:
        """Return the tree of a row, on a device."""
        paths = row.paths()
        longest = max(map(len, paths))
        texts = np.stack([row.tokens[np.pad(path, (0, longest - len(path)), mode="edge")] for path in paths])
        home = np.zeros(len(row), dtype=np.int64)
        for index in reversed(range(len(paths))):
            home[paths[index]] = index
        put = (torch.from_numpy(each).to(place) for each in (row.tokens, texts, home, row.positions, row.visible()))
        tokens, read, homes, depth, visible = put
        return cls(tokens, tuple(torch.from_numpy(path).to(place) for path in paths), read, homes, depth, visible)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shortest(self) -> tuple[int, int]:
        """Return the number of a shortest path, and its length."""
        lengths = [len(path) for path in self.paths]
        return lengths.index(min(lengths)), min(lengths)

    def by_node(self, states: Tensor) -> Tensor:
        """Return states of shape (paths, longest, ...) for the nodes, (t, ...)."""
        return states[self.home.to(states.device), self.depth.to(states.device)]

    def mask(self, dtype: torch.dtype) -> Tensor:
        """Return the mask of shape (1, 1, t, t) that is added to attention scores, so that nodes see ancestors only."""
        mask = torch.zeros(self.visible.shape, dtype=dtype, device=self.visible.device)
        return mask.masked_fill_(~self.visible, torch.finfo(dtype).min)[None, None]

    def gathered(self, value: Tensor, axes: Axes) -> Tensor:
        """Return an argument for the texts as one for the row, a batch of one text.

        Raises:
            NotShared: it differs from text to text, but not from token to token.
        """
        apart = texts_first(value, axes, len(self))
        if not axes.tokens:
            if axes.texts is not None and not bool((apart == apart[:1]).all()):
                raise NotShared
            return value if axes.texts is None else value.narrow(axes.texts, 0, axes.each)
        place = value.device
        home, depth = self.home.to(place), self.depth.to(place)
        home = home if axes.texts is not None else torch.zeros_like(home)
        if len(axes.tokens) == 1:
            rest = apart.movedim(_after(axes)[0], 1)
            return rest[home, depth].movedim(0, axes.tokens[0])
        rest = apart.movedim(_after(axes), (1, 2))
        pairs = rest[home[:, None], depth[:, None], depth[None, :]]
        hidden = ~self.visible.to(place).view(*self.visible.shape, *[1] * (pairs.dim() - 2))
        return pairs.masked_fill(hidden, _closed(rest)).movedim((0, 1), axes.tokens).contiguous()


def texts_first(value: Tensor, axes: Axes, count: int) -> Tensor:
    """Return a tensor with a first axis for the texts, of one entry where it is the same for all."""
    if axes.texts is None:
        return value[None]
    shape = value.shape
    apart = value.reshape(*shape[: axes.texts], count, axes.each, *shape[axes.texts + 1 :])
    return apart.movedim(axes.texts, 0)


def _after(axes: Axes) -> tuple[int, ...]:
    """Return where the axes of tokens are once the texts have an axis of their own, the first one."""
    return tuple(axis + 1 for axis in axes.tokens)


def _closed(masks: Tensor) -> Any:
    """Return what closes an entry of masks of shape (texts, queries, keys, ...): what the first query has for the last.

    Numbers that are added to scores are closed by the lowest number.
    """
    if masks.dtype.is_floating_point:
        return torch.finfo(masks.dtype).min
    return masks[0, 0, -1].flatten()[0].item() if masks.shape[1] > 1 else 0


def shared_values_differ(alone: Tensor, beside: Any, axes: Axes, index: int, length: int) -> bool:
    """Return whether a text's argument by itself differs from the one beside longer texts, at its own tokens.

    Args:
        alone: the argument for the text by itself.
        beside: the one for a batch, in which the text is number ``index``.
        axes: the axes of both.
        index: the text.
        length: how many tokens the text has.
    """
    if not isinstance(beside, Tensor) or beside.dim() != alone.dim():
        return False
    if axes.texts is not None:
        beside = beside.narrow(axes.texts, index * axes.each, axes.each)
    for axis in axes.tokens:
        beside = beside.narrow(axis, 0, length)
    if beside.shape != alone.shape:
        return True
    if not alone.dtype.is_floating_point:
        return not torch.equal(alone, beside)
    slack = 1e-5 if alone.dtype in (torch.float32, torch.float64) else 2e-2
    # Where both are closed, an entry may be infinite.
    size = alone[alone.abs() < torch.finfo(alone.dtype).max / 2].abs()
    return not torch.allclose(alone, beside, rtol=0, atol=slack * max(float(size.max()) if size.numel() else 0.0, 1e-6))
