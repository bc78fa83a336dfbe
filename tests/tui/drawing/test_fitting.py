"""Text that must fit a width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.drawing.fitting import fitting, flowed, listed


@given(st.integers(1, 60), st.lists(st.text("ab", min_size=1, max_size=20), min_size=1, max_size=20))
def test_what_is_fitted_fits(width: int, names: list[str]) -> None:
    assert fitting(width, *names).cell_length <= width
    lines = flowed(width, map(fitting_whole, names))
    assert all(line.cell_length <= max(width, *map(len, names)) for line in lines)
    text = listed(width, names)
    assert len(text) <= max(width, len(f"… {len(names)} in all"))


def fitting_whole(name: str):
    return fitting(10**6, name)
