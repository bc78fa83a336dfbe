"""CSV: read back by Python's reader, numbers whole, formulas defused."""

from __future__ import annotations

import csv
import io
import json

import pytest

from store.export import render
from store.rows import CoalitionRow
from tests.support.format_rows import EMPTY, FULL, HOSTILE, UNDEFINED, Row, hostile_row


def read(*rows: object, row_type: type = Row) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(rows, row_type, "csv"), newline="")))


def test_the_bytes_are_these() -> None:
    assert render([FULL, EMPTY], Row, "csv") == (
        "name,number,count,sure,began,gold,scores,labels\n"
        'tiny,-0.12345,7,True,2026-01-02 03:04:05,"[1, 2]","[-1.5, 2.25]","[""Attn 0"", ""FFN 1""]"\n'
        ",,,False,,,[],[]\n"
    )


def test_what_is_undefined_or_infinite_is_empty() -> None:
    (row,) = read(UNDEFINED)
    assert (row["number"], row["count"], row["gold"]) == ("", "-1", "3")
    assert json.loads(row["scores"]) == [None, None, None]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_one_cell_that_no_spreadsheet_runs(text: str) -> None:
    (row,) = read(hostile_row(text))
    assert row["name"] in {text, f"'{text}"}
    assert not row["name"].startswith(("=", "+", "@"))
    assert json.loads(row["labels"]) == [text, "b"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＠x"])
def test_every_sign_that_begins_a_formula_is_defused(text: str) -> None:
    row = CoalitionRow(text, "task", (), 1, -1.0, None, None, "intact", *[None] * 3, "id", "id", "acc", *[None] * 3)
    (cells,) = read(row, row_type=CoalitionRow)
    assert cells["model"] == f"'{text}"
    assert cells["acc"] == "-1.0"
