from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.drawing.grid_layout import LABEL, grid_layout

layers = st.integers(1, 200)
row_counts = st.integers(1, 4)
widths = st.integers(LABEL + 1, 250)


@given(layers, row_counts, widths)
def test_every_cell_has_a_place_of_its_own_within_the_width(layers: int, rows: int, width: int) -> None:
    layout = grid_layout(layers, rows, width)
    seen = set()
    for layer in range(layers):
        for row in range(rows):
            x, y = layout.place(layer, row)
            assert y < layout.height
            for column in range(x, x + layout.cell):
                assert LABEL <= column < width
                assert layout.cell_at(column, y) == (layer, row)
                seen.add((column, y))
    assert len(seen) == rows * layers * layout.cell


@given(layers, row_counts, widths, st.integers(-3, 300), st.integers(-3, 300))
def test_what_is_no_cell_is_none(layers: int, rows: int, width: int, x: int, y: int) -> None:
    layout = grid_layout(layers, rows, width)
    cell = layout.cell_at(x, y)
    if cell is not None:
        left, line = layout.place(*cell)
        assert line == y
        assert left <= x < left + layout.cell


@given(layers, row_counts, widths, st.data())
def test_lines_lead_through_all_rows_of_all_bands(layers: int, rows: int, width: int, data: st.DataObject) -> None:
    layout = grid_layout(layers, rows, width)
    cell = data.draw(st.tuples(st.integers(0, layers - 1), st.integers(0, rows - 1)))
    below, above = layout.lines(cell, 1), layout.lines(cell, -1)
    assert len(below) + len(above) == rows * layout.bands - 1
    _, y = layout.place(*cell)
    for lines, sign in ((below, 1), (above, -1)):
        heights = [layout.place(its_layers[0], row)[1] for row, its_layers, _ in lines]
        assert heights == sorted(heights, reverse=sign < 0)
        assert all((height - y) * sign > 0 for height in heights)


@pytest.mark.parametrize(("layers", "bands", "cell"), [(30, 1, 2), (32, 1, 2), (40, 1, 1), (80, 2, 1)])
def test_in_a_panel_of_80_columns(layers: int, bands: int, cell: int) -> None:
    for rows in (1, 2, 4):
        layout = grid_layout(layers, rows, 76)
        assert (layout.bands, layout.cell, layout.height) == (bands, cell, bands * (rows + 1))


def test_the_columns_of_a_layer_stay_together_where_they_fit() -> None:
    layout = grid_layout(16 * 16, 5, 76, step=16)
    assert (layout.per_band, layout.bands, layout.cell, layout.lines_a_band) == (64, 4, 1, 6)
    assert grid_layout(3 * 32, 5, 76, step=32).per_band == 64
    assert grid_layout(3 * 100, 5, 76, step=100).per_band == 60  # a layer is wider than the panel
