"""The positions of the layer grid's cells: pure geometry, in character cells."""

from __future__ import annotations

from dataclasses import dataclass

from tui.drawing.slots import Cell

LABEL = 5
WIDEST = 12


@dataclass(frozen=True, slots=True)
class GridLayout:
    """Columns of layers, in as few bands as possible. A band is a line of layer numbers, then a line for each row.

    A cell of width 2 or more ends with a gap of one. The gap before the first cell belongs to the labels.
    """

    columns: int
    rows: int
    per_band: int
    cell: int

    @property
    def bands(self) -> int:
        return -(-self.columns // self.per_band)

    @property
    def lines_a_band(self) -> int:
        return self.rows + 1

    @property
    def height(self) -> int:
        return self.bands * self.lines_a_band

    def place(self, column: int, row: int) -> tuple[int, int]:
        """Return the column and line of a cell's first character."""
        band, at = divmod(column, self.per_band)
        return LABEL + at * self.cell, band * self.lines_a_band + 1 + row

    def cell_at(self, x: int, y: int) -> Cell | None:
        """Return the column and row at this position, or None."""
        band, line = divmod(y, self.lines_a_band)
        at = (x - LABEL) // self.cell
        column = band * self.per_band + at
        if line == 0 or y < 0 or not 0 <= at < self.per_band or column >= self.columns:
            return None
        return column, line - 1

    def band_columns(self, band: int) -> range:
        """Return the columns of a band."""
        return range(band * self.per_band, min((band + 1) * self.per_band, self.columns))

    def lines(self, cell: Cell, step: int) -> list[tuple[int, range, int]]:
        """Return the lines of cells above (``step`` -1) or below (1) a cell, the nearest first.

        Each is told by its row, the columns of its band, and the column above or below the cell.
        """
        band, at = divmod(cell[0], self.per_band)
        here = band * self.rows + cell[1]
        there = range(here + 1, self.bands * self.rows) if step > 0 else range(here - 1, -1, -1)
        found = [divmod(line, self.rows) for line in there]
        return [(row, self.band_columns(to), to * self.per_band + at) for to, row in found]


def grid_layout(columns: int, rows: int, width: int, step: int = 1) -> GridLayout:
    """Return the layout with the fewest bands, of equal length, and then the widest cells that fit into ``width``.

    Args:
        columns: the number of columns.
        rows: the number of rows.
        width: the width in characters.
        step: the columns of a layer, which stay together where they fit.
    """
    room = max(width - LABEL, 1)
    together = step if step <= room else 1
    bands = -(-columns // (room // together * together))
    per_band = -(-columns // (bands * together)) * together
    return GridLayout(columns, rows, per_band, max(1, min(WIDEST, room // per_band)))
