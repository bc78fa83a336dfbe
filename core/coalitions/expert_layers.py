"""The layers whose experts are players: how they are written, and which layers of a model they are.

They are written as ``all`` (every layer with a mixture of experts) or as numbers and ranges, such as ``3,5-7``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from core.coalitions.players import LAYERS_BOUND, PlayerKind
from core.errors import CornerstoneError

EXPERTS: Final = "experts"
"""In place of a grouping, this asks for the experts of all layers, each a unit."""
ALL_LAYERS: Final = "all"
MOST_UNASKED: Final = 1000
"""The most experts that are players without the layers being named."""

_RANGE = re.compile(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", re.ASCII)


def normal_layers(text: str) -> str:
    """Return layers in their normal form: ``all``, or sorted numbers and ranges.

    Raises:
        CornerstoneError: they are written in another way, or no model has so many layers.
    """
    return ALL_LAYERS if text.strip().lower() == ALL_LAYERS else in_ranges(_numbers(text))


def in_ranges(layers: Iterable[int]) -> str:
    """Return numbers of layers as sorted numbers and ranges, such as ``3,5-7``."""
    ordered = sorted(set(layers))
    runs = [[number for _, number in run] for _, run in groupby(enumerate(ordered), lambda each: each[1] - each[0])]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def chosen_layers(text: str, kinds: Sequence[Sequence[PlayerKind]]) -> tuple[int, ...]:
    """Return the layers that are meant, of a model with these players.

    Raises:
        CornerstoneError: the model has no such layer, or one of them has no mixture of experts.
    """
    mixtures = tuple(layer for layer, of_layer in enumerate(kinds) if "moe" in of_layer)
    if not mixtures:
        raise CornerstoneError("no layer of this model has a mixture of experts, so that no expert can be a player")
    if normal_layers(text) == ALL_LAYERS:
        return mixtures
    chosen = _numbers(text)
    if chosen[-1] >= len(kinds):
        raise CornerstoneError(f"there is no layer {chosen[-1]} of experts: the model has layers 0 to {len(kinds) - 1}")
    if other := sorted(set(chosen) - set(mixtures)):
        raise CornerstoneError(
            f"layer {other[0]} has no mixture of experts; the layers that have one are {in_ranges(mixtures)}"
        )
    return chosen


def refuse_too_many(text: str, counts: Sequence[int]) -> None:
    """Refuse the experts of all layers where these are more than anybody asks for unknowingly.

    Args:
        text: the layers as they were asked for. Who names them may have as many experts as they have.
        counts: the number of experts of each layer that is meant.

    Raises:
        CornerstoneError: there are too many.
    """
    if normal_layers(text) == ALL_LAYERS and sum(counts) > MOST_UNASKED:
        raise CornerstoneError(
            f"{len(counts)} layers have {_digits(sum(counts))} experts, and more than {_digits(MOST_UNASKED)} are "
            "players only where their layers are named; choose some layers"
        )


def _numbers(text: str) -> tuple[int, ...]:
    """Return numbers of layers, sorted, each once."""
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < LAYERS_BOUND:
            raise CornerstoneError(
                f"{text[:80]!r} names no layers; write {ALL_LAYERS}, or numbers and ranges such as 3,5-7"
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def _digits(number: int) -> str:
    return f"{number:,}".replace(",", " ")
