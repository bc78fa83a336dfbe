r"""LaTeX: every row ends in \\, every special sign is escaped, so that the text prints as it is."""

from __future__ import annotations

import re

import pytest

from core.machine.plain_text import plain
from store.export import render
from tests.support.format_rows import EMPTY, FULL, HOSTILE, UNDEFINED, Row, hostile_row

COMMANDS = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textasciigrave{}": "`",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
}


def printed(cell: str) -> str:
    """Return what LaTeX prints for a cell of text."""
    pattern = re.compile("|".join([*map(re.escape, COMMANDS), r"\\[&%$#_{}]", r"\{[\[\]*]\}"]))
    assert not re.search(r"[\\&%$#_{}~^<>|`*\[\]]", pattern.sub("", cell)), cell
    return pattern.sub(lambda found: COMMANDS.get(found[0], found[0][1]), cell).strip()


def body(*rows: Row) -> list[list[str]]:
    """Return the cells of each line between the rules."""
    first, begin, top, *middle, bottom, end, last = render(rows, Row, "latex").split("\n")
    assert first == r"% needs \usepackage{booktabs}"
    assert begin == r"\begin{tabular}{lrrlllll}"
    assert (top, bottom, end, last) == (r"\toprule", r"\bottomrule", r"\end{tabular}", "")
    assert middle.pop(1) == r"\midrule"
    assert all(line.endswith(r" \\") for line in middle)
    return [re.split(r"(?<!\\) ?& ?", line.removesuffix(r" \\")) for line in middle]


def test_the_table_is_this() -> None:
    head, full, empty = body(FULL, EMPTY)
    assert head == ["name", "number", "count", "sure", "began", "gold", "scores", "labels"]
    assert full == [
        "tiny", "$-0.123$", "7", "True", "2026-01-02 03:04:05", "1, 2", "$-1.500$, 2.250", "Attn 0, FFN 1",
    ]  # fmt: skip
    assert empty == ["", "", "", "False", "", "", "", ""]


def test_a_table_without_rows_has_its_head() -> None:
    assert len(body()) == 1


def test_what_is_undefined_is_empty_and_infinity_is_its_symbol() -> None:
    _, row = body(UNDEFINED)
    assert row[1:3] == ["", "$-1$"]
    assert row[6] == r"$-\infty$, $\infty$, "


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_text_in_its_cell(text: str) -> None:
    _, row = body(hostile_row(text))
    assert len(row) == 8
    assert printed(row[0]) == plain(text).strip()
    assert printed(row[7]) == f"{plain(text)}, b".strip()
