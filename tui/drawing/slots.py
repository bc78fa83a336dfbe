"""The cells of a grid of layers: players that do the same in their layers share a row, however many a layer has.

A layer is one column. If its experts are players, it has as many columns as hold them in a few rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from typing import Final, Protocol

from core.coalitions.players import EXPERT, PlayerKind
from tui.drawing.kinds import MIXERS

Cell = tuple[int, int]
"""A column, and a row of the grid."""
_ROWS_OF_EXPERTS: Final = 4
"""The most rows of experts: with attention and the numbers of layers, a small terminal has room for one band."""


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
        firsts: the first column of each layer, and at the end the number of columns.
        rows: how many rows the grid has.
        cells: the cell of each player, by its place among the players.
        players: the place of the player in each cell that has one.
    """

    firsts: tuple[int, ...]
    rows: int
    cells: tuple[Cell, ...]
    players: Mapping[Cell, int]

    @property
    def layers(self) -> int:
        return len(self.firsts) - 1

    @property
    def columns(self) -> int:
        return self.firsts[-1]

    @property
    def step(self) -> int:
        """Return how many columns each layer has, if all have as many; else 1."""
        widths = {self._width(layer) for layer in range(self.layers)}
        return widths.pop() if len(widths) == 1 else 1

    def numbered(self, every: int) -> Mapping[int, int]:
        """Return the layers that are numbered, by their first columns: each ``every``-th, and each of several columns.

        The others are found by counting.
        """
        return {
            self.firsts[layer]: layer for layer in range(self.layers) if layer % every == 0 or self._width(layer) > 1
        }

    def nearest(self, row: int, columns: range, column: int) -> int | None:
        """Return the player of a row that is nearest to ``column``, of those in ``columns``; None if none is there."""
        there = [each for each in columns if (each, row) in self.players]
        return self.players[min(there, key=lambda each: abs(each - column)), row] if there else None

    def beside(self, player: int, step: int) -> int:
        """Return the next player of the same row to the right (``step`` 1) or left (-1), or the same one at the end."""
        column, row = self.cells[player]
        way = range(column + 1, self.columns) if step > 0 else range(column - 1, -1, -1)
        return next((self.players[each, row] for each in way if (each, row) in self.players), player)

    def aside(self, player: int, part: float = 0.0) -> float:
        """Return where a player's mark stands in its layer, from 0 to 1: ``part`` of its own place from the left."""
        column, row = self.cells[player]
        layer = bisect_right(self.firsts, column) - 1
        return (column - self.firsts[layer] + (row + part) / self.rows) / self._width(layer)

    def _width(self, layer: int) -> int:
        return self.firsts[layer + 1] - self.firsts[layer]


def slots_of(players: Sequence[Placed]) -> Slots:
    """Return the cells of players, which are in the order of their numbers.

    There are as few rows as hold the players of each layer in the order in which they run, with mixers and others in
    rows of their own. A layer with fewer players than rows leaves out the rows of what it lacks. Experts fill the rows
    of a column, then those of the next one.
    """
    by_layer = {layer: tuple(player.kind for player in own) for layer, own in groupby(players, lambda p: p.layer)}
    roles = ""
    for pattern in dict.fromkeys(_roles(kinds) for kinds in by_layer.values()):
        roles = _both(roles, pattern)
    layers = range(max(by_layer, default=-1) + 1)
    firsts = tuple(accumulate((_columns(by_layer.get(layer, ())) for layer in layers), initial=0))
    placed = [
        (firsts[layer] + column, row)
        for layer, kinds in by_layer.items()
        for column, row in _in_layer(kinds, _rows(roles, _roles(kinds)))
    ]
    used = sorted({row for _, row in placed})
    cells = tuple((column, used.index(row)) for column, row in placed)
    return Slots(firsts, len(used), cells, {cell: at for at, cell in enumerate(cells)})


def _columns(kinds: Sequence[PlayerKind]) -> int:
    """Return how many columns a layer has."""
    return max(-(-kinds.count(EXPERT) // _ROWS_OF_EXPERTS), 1)


def _a_column(kinds: Sequence[PlayerKind]) -> int:
    """Return how many experts a column of a layer has."""
    return -(-kinds.count(EXPERT) // _columns(kinds))


def _in_layer(kinds: Sequence[PlayerKind], rows: Sequence[int]) -> Iterator[Cell]:
    """Yield the cell of each player of a layer, with columns counted from the layer's first.

    Args:
        kinds: the kinds of its players.
        rows: the rows of its players, of its experts those of one column.
    """
    before, experts, each = (
        kinds.index(EXPERT) if EXPERT in kinds else len(kinds),
        kinds.count(EXPERT),
        _a_column(kinds),
    )
    for at in range(len(kinds)):
        if at < before:
            yield 0, rows[at]
        elif at < before + experts:
            column, line = divmod(at - before, each)
            yield column, rows[before + line]
        else:
            yield _columns(kinds) - 1, rows[at - experts + each]


def _roles(kinds: Sequence[PlayerKind]) -> str:
    """Return a letter for each player: M for one that mixes tokens, T for one that takes each token by itself.

    Experts have as many as there are in a column.
    """
    first = kinds.index(EXPERT) if EXPERT in kinds else 0
    shown = [kind for at, kind in enumerate(kinds) if kind != EXPERT or at < first + _a_column(kinds)]
    return "".join("M" if kind in MIXERS else "T" for kind in shown)


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
