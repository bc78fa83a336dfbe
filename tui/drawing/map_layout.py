"""The positions of the cells in a map of windows: pure geometry, in character cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.rows import InteractionRow


LABEL = 3
WIDEST = 3
_EVERY = 5


@dataclass(frozen=True, slots=True)
class MapLayout:
    """A column per first player of a window, a line per size, in as few bands as possible.

    A band is a line of layer numbers and a line per size. ``layers`` has the layer of each player. Where all layers
    have the same number of players, a band begins with the first player of a layer.
    """

    layers: tuple[int, ...]
    sizes: tuple[int, ...]
    per_band: int
    cell: int

    @property
    def players(self) -> int:
        return len(self.layers)

    @property
    def bands(self) -> int:
        return -(-self.players // self.per_band)

    @property
    def lines_a_band(self) -> int:
        return len(self.sizes) + 1

    def band_of(self, first: int) -> int:
        """Return the band of the windows that begin with this player."""
        return first // self.per_band

    def firsts(self, band: int) -> range:
        """Return the first players of the windows in a band."""
        return range(band * self.per_band, min((band + 1) * self.per_band, self.players))

    def window_at(self, x: int, y: int) -> tuple[int, int] | None:
        """Return the size and first player of the window at this position, or None."""
        band, line = divmod(y, self.lines_a_band)
        column = (x - LABEL) // self.cell
        first = band * self.per_band + column
        if y < 0 or line == 0 or not 0 <= column < self.per_band or band >= self.bands:
            return None
        size = self.sizes[line - 1]
        return (size, first) if first + size <= self.players else None

    def numbers(self, band: int) -> str:
        """Return the line of layer numbers: every fifth, above the first player of its layer."""
        text = ""
        for first in self.firsts(band):
            x = LABEL + (first % self.per_band) * self.cell
            layer, begins = self.layers[first], first == 0 or self.layers[first - 1] != self.layers[first]
            if begins and layer % _EVERY == 0 and x >= len(text):
                text = f"{text:<{x}}{layer}"
        return text


def map_layout(layers: Sequence[int], sizes: tuple[int, ...], width: int) -> MapLayout:
    """Return the layout with the fewest bands, of equal length, and then the widest cells that fit into ``width``.

    Args:
        layers: the layer of each player, in the order of their numbers.
        sizes: the sizes of windows.
        width: the width in columns.
    """
    a_layer = set(Counter(layers).values())
    step = a_layer.pop() if len(a_layer) == 1 else 1
    room = max((width - LABEL) // step * step, step)
    bands = max(-(-len(layers) // room), 1)
    per_band = max(-(-len(layers) // (bands * step)) * step, step)
    return MapLayout(tuple(layers), sizes, per_band, max(1, min(WIDEST, room // per_band)))


def layers_of(rows: Sequence[InteractionRow]) -> tuple[int, ...]:
    """Return the layer of each player in windows of two or more, from those that begin with it.

    The last player begins none. Its name tells its layer, else it is in that of the player before it.
    """
    known = {row.first: row.layer for row in rows}
    last = max(rows, key=lambda row: row.first + row.size, default=None)
    named = None if last is None else re.search(r"\d+", last.labels[-1])
    if last is not None and named is not None:
        known.setdefault(last.first + last.size - 1, int(named[0]))
    layers: list[int] = []
    for player in range(0 if last is None else last.first + last.size):
        layers.append(known.get(player, layers[-1] if layers else 0))
    return tuple(layers)
