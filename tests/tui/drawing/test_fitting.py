"""Text that must fit a width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.drawing.fitting import fitting, flowed, listed, middle, wrapped


@given(st.integers(1, 60), st.lists(st.text("ab", min_size=1, max_size=20), min_size=1, max_size=20))
def test_what_is_fitted_fits(width: int, names: list[str]) -> None:
    assert fitting(width, *names).cell_length <= width
    lines = flowed(width, map(fitting_whole, names))
    assert all(line.cell_length <= max(width, *map(len, names)) for line in lines)
    text = listed(width, names)
    assert len(text) <= max(width, len(f"… {len(names)} in all"))


def fitting_whole(name: str):
    return fitting(10**6, name)


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("short", 5, "short"),
        ("a-very-long-model-checkpoint-2000", 15, "a-very-…nt-2000"),
        ("abcdef", 4, "ab…f"),
        ("abcdef", 2, "a…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("模型模型模型", 7, "模…型"),
    ],
)
def test_a_name_keeps_both_ends(name: str, width: int, shown: str) -> None:
    assert middle(name, width) == shown
    assert cell_len(middle(name, width)) <= width


@pytest.mark.parametrize("width", range(8, 60))
def test_no_number_is_parted_nor_left_without_its_unit(width: int) -> None:
    text = "15 040 outcomes, 0.2 MB in the store; 20 min, at 12 345 outcomes a second"
    lines = wrapped(text, width)
    assert " ".join(lines) == text
    assert max(map(len, lines)) <= max(width, len("outcomes,"))
    for whole in ("15 040", "0.2 MB", "20 min", "12 345"):
        assert any(whole in line for line in lines)
