"""The positions of the cells in a map of windows: pure geometry, in character cells."""

from __future__ import annotations

from dataclasses import dataclass

LABEL = 3
WIDEST = 3
_EVERY = 5


@dataclass(frozen=True, slots=True)
class MapLayout:
    """A column per first player of a window, a line per size, in as few bands as possible.

    A band is a line of layer numbers and a line per size. It never begins with an FFN.
    """

    players: int
    sizes: tuple[int, ...]
    per_band: int
    cell: int

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
        """Return the line of layer numbers."""
        text = ""
        for first in self.firsts(band):
            x = LABEL + (first % self.per_band) * self.cell
            if first % (2 * _EVERY) == 0 and x >= len(text):
                text = f"{text:<{x}}{first // 2}"
        return text


def map_layout(players: int, sizes: tuple[int, ...], width: int) -> MapLayout:
    """Return the layout with the fewest bands, of equal length, and then the widest cells that fit into ``width``."""
    room = max((width - LABEL) // 2 * 2, 2)
    bands = max(-(-players // room), 1)
    per_band = max(-(-players // bands) + 1, 2) // 2 * 2
    return MapLayout(players, sizes, per_band, max(1, min(WIDEST, room // per_band)))
