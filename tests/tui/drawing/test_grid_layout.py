from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.drawing.grid_layout import LABEL, grid_layout

layers = st.integers(1, 200)
widths = st.integers(LABEL + 1, 250)


@given(layers, widths)
def test_every_player_has_a_place_of_its_own_within_the_width(layers: int, width: int) -> None:
    layout = grid_layout(layers, width)
    seen = set()
    for player in range(2 * layers):
        x, y = layout.place(player)
        assert y < layout.height
        for column in range(x, x + layout.cell):
            assert LABEL <= column < width
            assert layout.player_at(column, y) == player
            seen.add((column, y))
    assert len(seen) == 2 * layers * layout.cell


@given(layers, widths, st.integers(-3, 300), st.integers(-3, 300))
def test_what_is_no_cell_is_no_player(layers: int, width: int, x: int, y: int) -> None:
    layout = grid_layout(layers, width)
    player = layout.player_at(x, y)
    if player is not None:
        left, line = layout.place(player)
        assert line == y
        assert left <= x < left + layout.cell


@given(layers, widths)
def test_down_goes_through_all_rows_and_up_comes_back(layers: int, width: int) -> None:
    layout = grid_layout(layers, width)
    path = [0]
    while (below := layout.vertical(path[-1], 1)) != path[-1]:
        path.append(below)
    assert len(path) == 2 * layout.bands
    back = [path[-1]]
    while (above := layout.vertical(back[-1], -1)) != back[-1]:
        back.append(above)
    assert back == path[::-1]


@pytest.mark.parametrize(("layers", "bands", "cell"), [(30, 1, 2), (32, 1, 2), (40, 1, 1), (80, 2, 1)])
def test_in_a_panel_of_80_columns(layers: int, bands: int, cell: int) -> None:
    layout = grid_layout(layers, 76)
    assert (layout.bands, layout.cell) == (bands, cell)
