"""The rows of a grid of layers: players that do the same in their layers share a row, however many a layer has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Protocol

from core.coalitions.players import PlayerKind
from tui.drawing.kinds import MIXERS

Cell = tuple[int, int]
"""A layer, and a row of the grid."""


class Placed(Protocol):
    """A player, or a result of one."""

    @property
    def layer(self) -> int: ...

    @property
    def kind(self) -> PlayerKind: ...


@dataclass(frozen=True, slots=True)
class Slots:
    """The cells of players.

    Attributes:
        layers: how many layers there are.
        rows: how many rows the grid has.
        cells: the cell of each player, by its place among the players.
        players: the place of the player in each cell that has one.
    """

    layers: int
    rows: int
    cells: tuple[Cell, ...]
    players: Mapping[Cell, int]

    def nearest(self, row: int, layers: range, layer: int) -> int | None:
        """Return the player of a row that is nearest to ``layer``, of those in ``layers``; None if none is there."""
        there = [each for each in layers if (each, row) in self.players]
        return self.players[min(there, key=lambda each: abs(each - layer)), row] if there else None

    def beside(self, player: int, step: int) -> int:
        """Return the next player of the same row to the right (``step`` 1) or left (-1), or the same one at the end."""
        layer, row = self.cells[player]
        way = range(layer + 1, self.layers) if step > 0 else range(layer - 1, -1, -1)
        return next((self.players[each, row] for each in way if (each, row) in self.players), player)

    def aside(self, player: int) -> float:
        """Return where a player's mark stands in its layer: 0 for the first row, below 1 for the last."""
        return self.cells[player][1] / self.rows


def slots_of(players: Sequence[Placed]) -> Slots:
    """Return the cells of players, which are in the order of their numbers.

    There are as few rows as hold the players of each layer in the order in which they run, with mixers and others in
    rows of their own. A layer with fewer players than rows leaves out the rows of what it lacks.
    """
    by_layer = [(layer, tuple(player.kind for player in own)) for layer, own in groupby(players, lambda p: p.layer)]
    roles = ""
    for pattern in dict.fromkeys(_roles(kinds) for _, kinds in by_layer):
        roles = _both(roles, pattern)
    placed = [(layer, row) for layer, kinds in by_layer for row in _rows(roles, _roles(kinds))]
    used = sorted({row for _, row in placed})
    cells = tuple((layer, used.index(row)) for layer, row in placed)
    layers = by_layer[-1][0] + 1 if by_layer else 0
    return Slots(layers, len(used), cells, {cell: at for at, cell in enumerate(cells)})


def _roles(kinds: Sequence[PlayerKind]) -> str:
    """Return a letter for each player: M for one that mixes tokens, T for one that takes each token by itself."""
    return "".join("M" if kind in MIXERS else "T" for kind in kinds)


@cache
def _both(one: str, other: str) -> str:
    """Return the shortest text from which both can be had by leaving out letters; M before T where either will do."""
    if not one or not other:
        return one or other
    if one[0] == other[0]:
        return one[0] + _both(one[1:], other[1:])
    return min(one[0] + _both(one[1:], other), other[0] + _both(one, other[1:]), key=lambda text: (len(text), text))


def _rows(roles: str, own: str) -> list[int]:
    """Return the rows of a layer's players, the last that there are: what a layer has more than others comes first."""
    rows, row = [], len(roles)
    for role in reversed(own):
        row = roles.rindex(role, 0, row)
        rows.append(row)
    return rows[::-1]
