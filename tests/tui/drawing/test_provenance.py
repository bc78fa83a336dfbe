"""The provenance of a value names every setting of its estimator, and none that the estimator lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.windows import WindowFirst
from store.rows import ShapleyRow
from tests.support.figure_rows import shapley_rows
from tui.drawing.provenance import obtained

ROW = shapley_rows("boolq")[0]


def row_of(estimator: Estimator, **changes: Any) -> ShapleyRow:
    return replace(ROW, estimator=estimator.name, settings=", ".join(estimator.in_words()), **changes)


def test_windows_say_how_long_and_walks_how_many_and_how_drawn() -> None:
    assert obtained(ROW) == "window-first, windows of up to 4"
    assert obtained(row_of(Permutation(40, 3, 0.02))) == "permutation, 40 walks, seed 3, tolerance 0.02"
    assert obtained(row_of(LeaveOneOut())) == "leave-one-out"


def test_groups_and_shorter_windows_are_said() -> None:
    assert obtained(row_of(Exact(), players="blocks:3")) == "exact, players blocks:3"
    assert obtained(row_of(WindowFirst(2), partial=True)) == "window-first, windows of up to 2, partial"
    assert "\x1b" not in obtained(replace(ROW, players="\x1b[31m"))
