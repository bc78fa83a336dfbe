"""Markdown: one line a row, cells that read back as their text, markup shown and not obeyed."""

from __future__ import annotations

import re

import pytest

from core.machine.plain_text import plain
from store.export import render
from tests.support.format_rows import EMPTY, FULL, HOSTILE, UNDEFINED, Row, hostile_row


def cells(line: str) -> list[str]:
    """Return a line's cells as a reader of Markdown shows them: split at bare bars, each escaped sign itself."""
    assert line.startswith("| ")
    assert line.endswith(" |")
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]
    return [re.sub(r"\\(.)", r"\1", part).strip() for part in parts]


def lines(*rows: Row) -> list[str]:
    text = render(rows, Row, "markdown")
    assert text.endswith("|\n")
    return text.removesuffix("\n").split("\n")


def test_the_table_is_this() -> None:
    head, sides, full, empty = lines(FULL, EMPTY)
    assert head == "| name | number | count | sure | began | gold | scores | labels |"
    assert sides == "| --- | ---: | ---: | --- | --- | --- | --- | --- |"
    assert full == "| tiny | -0.123 | 7 | True | 2026-01-02 03:04:05 | 1, 2 | -1.500, 2.250 | Attn 0, FFN 1 |"
    assert cells(empty) == ["", "", "", "False", "", "", "", ""]


def test_a_table_without_rows_has_its_head() -> None:
    assert len(lines()) == 2


def test_what_is_undefined_is_empty_and_no_zero_is_negative() -> None:
    _, _, undefined, zero = lines(UNDEFINED, Row("z", -0.0001, 0, True, None, None, (-0.0,), ()))
    assert cells(undefined)[1] == ""
    assert cells(undefined)[6] == "-inf, inf,"
    assert cells(zero)[1] == cells(zero)[6] == "0.000"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_text_in_its_cell(text: str) -> None:
    *_, line = lines(hostile_row(text))
    found = cells(line)
    assert len(found) == 8
    assert found[0] == plain(text).strip()
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_<>\[\]#~&$]", line)
    assert "\x1b" not in line
