"""The positions of the layer grid's cells: pure geometry, in character cells."""

from __future__ import annotations

from dataclasses import dataclass

from tui.drawing.slots import Cell

LABEL = 5
WIDEST = 6


@dataclass(frozen=True, slots=True)
class GridLayout:
    """Layers as columns, in as few bands as possible. A band is a line of layer numbers, then a line for each row.

    A cell of width 2 or more ends with a gap of one. The gap before the first cell belongs to the labels.
    """

    layers: int
    rows: int
    per_band: int
    cell: int

    @property
    def bands(self) -> int:
        return -(-self.layers // self.per_band)

    @property
    def lines_a_band(self) -> int:
        return self.rows + 1

    @property
    def height(self) -> int:
        return self.bands * self.lines_a_band

    def place(self, layer: int, row: int) -> tuple[int, int]:
        """Return the column and line of a cell's first character."""
        band, column = divmod(layer, self.per_band)
        return LABEL + column * self.cell, band * self.lines_a_band + 1 + row

    def cell_at(self, x: int, y: int) -> Cell | None:
        """Return the layer and row at this position, or None."""
        band, line = divmod(y, self.lines_a_band)
        column = (x - LABEL) // self.cell
        layer = band * self.per_band + column
        if line == 0 or y < 0 or not 0 <= column < self.per_band or layer >= self.layers:
            return None
        return layer, line - 1

    def band_layers(self, band: int) -> range:
        """Return the layers of a band."""
        return range(band * self.per_band, min((band + 1) * self.per_band, self.layers))

    def lines(self, cell: Cell, step: int) -> list[tuple[int, range, int]]:
        """Return the lines of cells above (``step`` -1) or below (1) a cell, the nearest first.

        Each is told by its row, the layers of its band, and the layer in the column of the cell.
        """
        band, column = divmod(cell[0], self.per_band)
        here = band * self.rows + cell[1]
        there = range(here + 1, self.bands * self.rows) if step > 0 else range(here - 1, -1, -1)
        found = [divmod(line, self.rows) for line in there]
        return [(row, self.band_layers(to), to * self.per_band + column) for to, row in found]


def grid_layout(layers: int, rows: int, width: int) -> GridLayout:
    """Return the layout with the fewest bands, of equal length, and then the widest cells that fit into ``width``."""
    room = max(width - LABEL, 1)
    bands = -(-layers // room)
    per_band = -(-layers // bands)
    return GridLayout(layers, rows, per_band, max(1, min(WIDEST, room // per_band)))
