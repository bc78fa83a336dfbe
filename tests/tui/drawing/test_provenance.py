"""How a value was obtained is said in full, and nothing is said that its estimator has not."""

from __future__ import annotations

from dataclasses import replace

from tests.support.figure_rows import shapley_rows
from tui.drawing.provenance import obtained

ROW = shapley_rows("boolq")[0]


def test_windows_say_how_long_and_walks_how_many_and_how_drawn() -> None:
    assert obtained(ROW) == "window-first, windows of up to 4"
    walked = replace(ROW, estimator="permutation", permutations=40, seed=3, tolerance=0.02)
    assert obtained(walked) == "permutation, 40 walks, seed 3, tolerance 0.02"
    assert obtained(replace(ROW, estimator="leave-one-out", max_removed=1)) == "leave-one-out"


def test_groups_and_shorter_windows_are_said() -> None:
    assert obtained(replace(ROW, estimator="exact", players="blocks:3")) == "exact, players blocks:3"
    assert obtained(replace(ROW, max_removed=2, partial=True)) == "window-first, windows of up to 2, partial"
    assert "\x1b" not in obtained(replace(ROW, players="\x1b[31m"))
