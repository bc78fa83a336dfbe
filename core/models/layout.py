"""The layout of a model: where its layers are, which players each has, and how the model may be evaluated.

Light to import, so that what is known of a model can be read before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from core.coalitions.players import EXPERT, Kinds, PlayerKind

Way = Literal["packed", "mixed", "unpacked", "whole"]
"""How requests go through a model, the fastest way first.

``packed``: requests share a row and their prefixes; every layer takes a tree mask. ``mixed``: the same, but some layers
obey no tree mask and take each path of the row by itself. ``unpacked``: each request is a row of its own. ``whole``: a
layer takes more from the one before it than hidden states, so the whole model runs once for each coalition.
"""


ExpertForm = Literal["indexed", "sorted", "blocked"]
"""How a module computes all routed experts of a layer.

``indexed``: it receives, for each token, the numbers of its experts and their weights. ``sorted``: it receives copies
of tokens sorted by expert, and how many each expert has. ``blocked``: it receives all tokens once for each expert.
"""


@dataclass(frozen=True, slots=True)
class Experts:
    """The routed experts of a layer: the dotted path of the module that computes them, its form, and their number."""

    path: str
    form: ExpertForm
    count: int


@dataclass(frozen=True, slots=True)
class Sublayer:
    """A player of a layer.

    ``parts`` are submodules, as dotted paths from the layer. To remove the player, their outputs become zero. ``feeds``
    are submodules that only this player reads; they need not run where it is removed. ``expert`` is the number of a
    player that is a single expert. It has no parts: it is removed from within the module that computes all experts.
    """

    kind: PlayerKind
    parts: tuple[str, ...]
    feeds: tuple[str, ...] = ()
    expert: int | None = None

    @property
    def by_token(self) -> bool:
        """Return whether the player treats each token by itself."""
        return self.kind in ("ffn", "moe")


@dataclass(frozen=True, slots=True)
class Layer:
    """The players of a layer, in the order in which they run.

    ``parallel``: they all read the layer's input, so that the layer is not one player after the other. ``passes``: with
    all players removed the layer returns its input, bit by bit; else something is left, such as a scale. ``packs``: it
    obeys a tree mask. ``in_turn``: the layer is the same as its players alone, one after another. ``returns``: the
    length of the tuple that it returns, whose first is the hidden states; None for a layer that returns only these.
    ``experts`` are the routed experts, where each is a player. A layer without players does not run on texts.
    """

    sublayers: tuple[Sublayer, ...]
    parallel: bool = False
    passes: bool = True
    packs: bool = True
    in_turn: bool = True
    returns: int | None = None
    experts: Experts | None = None

    @property
    def last_alone(self) -> bool:
        """Return whether the last player may be computed by itself, after the others, and at some positions only."""
        last = self.sublayers[-1].kind if self.sublayers else None
        return self.in_turn and self.passes and not self.parallel and last in {"ffn", "moe"}

    def with_experts(self, experts: Experts) -> Layer:
        """Return the layer with its routed experts as players, in place of its only mixture.

        Its last player is then not a whole sublayer, so it is not computed by itself.
        """
        at = [sublayer.kind for sublayer in self.sublayers].index("moe")
        each = tuple(Sublayer(EXPERT, (), expert=number) for number in range(experts.count))
        players = (*self.sublayers[:at], *each, *self.sublayers[at + 1 :])
        return replace(self, sublayers=players, experts=experts, in_turn=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """The layers of a model, at the dotted path ``path`` from the model with its head; and the way to evaluate it."""

    path: str
    layers: tuple[Layer, ...]
    way: Way = "packed"

    @property
    def kinds(self) -> Kinds:
        """Return the kinds of each layer's players, in the order in which they run."""
        return tuple(tuple(sublayer.kind for sublayer in layer.sublayers) for layer in self.layers)

    @property
    def shares(self) -> bool:
        """Return whether requests share their prefixes in a row."""
        return self.way in ("packed", "mixed")

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
        silent: list[tuple[str, ...]] = [()] * len(self.layers)
        for index, sublayer in self._players(removed):
            silent[index] += (*sublayer.parts, *(sublayer.feeds if feeds else ()))
        return tuple(silent)

    def experts_of(self, removed: Iterable[int]) -> tuple[tuple[int, ...], ...]:
        """Return, for each layer, the numbers of its experts that are removed with these players.

        Raises:
            IndexError: the model has no such player.
        """
        gone: list[tuple[int, ...]] = [()] * len(self.layers)
        for index, sublayer in self._players(removed):
            gone[index] += () if sublayer.expert is None else (sublayer.expert,)
        return tuple(gone)

    def _players(self, numbers: Iterable[int]) -> list[tuple[int, Sublayer]]:
        """Return players with the index of their layers."""
        places = [(index, sublayer) for index, layer in enumerate(self.layers) for sublayer in layer.sublayers]
        return [places[number] for number in numbers]
