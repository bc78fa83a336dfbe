"""Listings without a screen: values that all rows share are named once, filters, order, undefined values last."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.import_rules import loaded_after
from tui.drawing.plain import told_apart
from tui.explorer.filtering import filter_of
from tui.explorer.listing import Column, Order, count_text, listing, view


@dataclass(frozen=True)
class Row:
    name: str
    score: float | None
    task: str = "capitals"


COLUMNS = (
    Column("name", lambda row: row.name, lambda row: row.name),
    Column("score", lambda row: str(row.score), lambda row: row.score, numeric=True, falling=True),
    Column("task", lambda row: row.task, lambda row: row.task, common=True),
)
ROWS = [Row("b", 0.5), Row("a", None), Row("c\x1b[2J", 0.25)]


def names(wanted: str = "", order: Order | None = None, rows: list[Row] = ROWS) -> list[str]:
    shown = listing(COLUMNS, rows)
    return [line.row.name[0] for line in view(shown.lines, filter_of(shown, wanted), order)]


def test_what_all_rows_share_is_named_once() -> None:
    shared = listing(COLUMNS, ROWS)
    assert ([column.title for column in shared.columns], shared.subject) == (["name", "score"], "capitals")
    mixed = listing(COLUMNS, [*ROWS, Row("d", 1, "opposites")])
    assert ([column.title for column in mixed.columns], mixed.subject) == (["name", "score", "task"], "")
    assert listing(COLUMNS, []).subject == ""


def test_undefined_comes_last_in_either_order() -> None:
    assert names(order=Order(1, falling=True)) == ["b", "c", "a"]
    assert names(order=Order(1, falling=False)) == ["c", "b", "a"]
    assert names(order=Order(0, falling=False)) == ["a", "b", "c"]
    assert names() == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("wanted", "expected"), [("B", ["b"]), ("capitals", ["b", "a", "c"]), ("0.25", ["c"]), ("z", [])]
)
def test_a_filter_looks_in_every_column_the_shared_too(wanted: str, expected: list[str]) -> None:
    assert names(wanted) == expected


def test_cells_are_plain_and_measured() -> None:
    shared = listing(COLUMNS, ROWS, notes=["a\x07b"])
    assert shared.lines[2].cells[0] == "c [2J"
    assert shared.widths == (5, 4)
    assert shared.notes == ("a b",)


def test_counts_are_said_in_words() -> None:
    assert count_text(12_000, 12_000, "") == "12 000 rows"
    assert count_text(1, 1, " ") == "1 row"
    assert count_text(1, 12_000, "x") == "1 of 12 000 rows passes the filter"
    assert count_text(0, 2, "x") == "0 of 2 rows pass the filter"


def test_names_that_are_shared_carry_their_ids() -> None:
    assert told_apart([("a", "1"), ("a", "2"), ("b", "3"), ("b", "3")]) == {"1": "a@1", "2": "a@2", "3": "b"}


SCREENS = (
    "tui.explorer.screens.sql",
    "tui.explorer.screens.results",
    "tui.explorer.screens.documents",
    "tui.explorer.screens.export",
    "tui.explorer.screens.compare",
    "tui.explorer.screens.path",
)


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    return loaded_after(SCREENS, ("duckdb", "torch", "transformers", "lm_eval", "scipy", "pandas"))


@pytest.mark.parametrize("module", SCREENS)
def test_a_screen_is_there_before_the_store_is_read(module: str, loaded: dict[str, list[str]]) -> None:
    assert loaded[module] == []
