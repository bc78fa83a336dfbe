"""The layout of a model: where its layers are, which players each has, and how the model may be evaluated.

Light to import, so that what is known of a model can be read before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from core.coalitions.players import PlayerKind

Way = Literal["packed", "mixed", "unpacked", "whole"]
"""How requests go through a model, the fastest way first.

``packed``: requests share a row and their prefixes; every layer takes a tree mask. ``mixed``: the same, but some layers
obey no tree mask and take each path of the row by itself. ``unpacked``: each request is a row of its own. ``whole``: a
layer takes more from the one before it than hidden states, so the whole model runs once for each coalition.
"""


@dataclass(frozen=True, slots=True)
class Sublayer:
    """A player of a layer.

    ``parts`` are submodules, as dotted paths from the layer. To remove the player, their outputs become zero. ``feeds``
    are submodules that only this player reads; they need not run where it is removed.
    """

    kind: PlayerKind
    parts: tuple[str, ...]
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """The players of a layer, in the order in which they run.

    ``parallel``: they all read the layer's input, so that the layer is not one player after the other. ``passes``: with
    all players removed the layer returns its input, bit by bit; else something is left, such as a scale. ``packs``: it
    obeys a tree mask. ``in_turn``: the layer is the same as its players alone, one after another. ``returns``: the
    length of the tuple that it returns, whose first is the hidden states; None for a layer that returns only these. A
    layer without players does not run on texts.
    """

    sublayers: tuple[Sublayer, ...]
    parallel: bool = False
    passes: bool = True
    packs: bool = True
    in_turn: bool = True
    returns: int | None = None

    @property
    def last_alone(self) -> bool:
        """Return whether the last player may be computed by itself, after the others, and at some positions only."""
        last = self.sublayers[-1].kind if self.sublayers else None
        return self.in_turn and self.passes and not self.parallel and last in {"ffn", "moe"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The layers of a model, at the dotted path ``path`` from the model with its head; and the way to evaluate it.

    Requests share rows of at most ``longest_row`` tokens, None for rows of any length.
    """

    path: str
    layers: tuple[Layer, ...]
    way: Way = "packed"
    longest_row: int | None = None

    @property
    def kinds(self) -> tuple[tuple[PlayerKind, ...], ...]:
        """Return the kinds of each layer's players, in the order in which they run."""
        return tuple(tuple(sublayer.kind for sublayer in layer.sublayers) for layer in self.layers)

    @property
    def starts(self) -> tuple[int, ...]:
        """Return the number of each layer's first player, and at the end the number of all players."""
        return tuple(accumulate((len(layer.sublayers) for layer in self.layers), initial=0))

    def parts_of(self, removed: Iterable[int], *, feeds: bool = False) -> tuple[tuple[str, ...], ...]:
        """Return, for each layer, the paths of the submodules that are silent with these players removed.

        With ``feeds``, those that only these players read are among them.

        Raises:
            IndexError: the model has no such player.
        """
        places = [(index, sublayer) for index, layer in enumerate(self.layers) for sublayer in layer.sublayers]
        silent: list[tuple[str, ...]] = [()] * len(self.layers)
        for number in removed:
            index, sublayer = places[number]
            silent[index] += (*sublayer.parts, *(sublayer.feeds if feeds else ()))
        return tuple(silent)
