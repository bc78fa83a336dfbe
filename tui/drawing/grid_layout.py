"""The positions of the layer grid's cells: pure geometry, in character cells."""

from __future__ import annotations

from dataclasses import dataclass

LABEL = 5
WIDEST = 6
LINES_A_BAND = 3


@dataclass(frozen=True, slots=True)
class GridLayout:
    """Layers as columns, in as few bands as possible. A band is a line of layer numbers, then Attn, then FFN.

    A cell of width 2 or more ends with a gap of one. The gap before the first cell belongs to the labels.
    """

    layers: int
    per_band: int
    cell: int

    @property
    def bands(self) -> int:
        return -(-self.layers // self.per_band)

    @property
    def height(self) -> int:
        return self.bands * LINES_A_BAND

    def place(self, player: int) -> tuple[int, int]:
        """Return the column and line of a player's first character."""
        layer, row = divmod(player, 2)
        band, column = divmod(layer, self.per_band)
        return LABEL + column * self.cell, band * LINES_A_BAND + 1 + row

    def player_at(self, x: int, y: int) -> int | None:
        """Return the player at this position, or None."""
        band, line = divmod(y, LINES_A_BAND)
        column = (x - LABEL) // self.cell
        layer = band * self.per_band + column
        if line == 0 or y < 0 or not 0 <= column < self.per_band or layer >= self.layers:
            return None
        return 2 * layer + line - 1

    def band_layers(self, band: int) -> range:
        """Return the layers of a band."""
        return range(band * self.per_band, min((band + 1) * self.per_band, self.layers))

    def vertical(self, player: int, step: int) -> int:
        """Return the player one row above or below, or the same player at the edge."""
        layer, row = divmod(player, 2)
        band, column = divmod(layer, self.per_band)
        band, row = divmod(band * 2 + row + step, 2)
        if not 0 <= band < self.bands:
            return player
        return 2 * min(band * self.per_band + column, self.layers - 1) + row


def grid_layout(layers: int, width: int) -> GridLayout:
    """Return the layout with the fewest bands, of equal length, and then the widest cells that fit into ``width``."""
    room = max(width - LABEL, 1)
    bands = -(-layers // room)
    per_band = -(-layers // bands)
    return GridLayout(layers, per_band, max(1, min(WIDEST, room // per_band)))
