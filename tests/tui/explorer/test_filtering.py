"""Filters: a text, or conditions on columns; a wrong one says why."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tui.explorer.filtering import FilterError, filter_of
from tui.explorer.listing import Column, Listing, listing


@dataclass(frozen=True)
class Row:
    label: str
    layer: int
    drop: float | None
    state: str
    started: str = "2026-11-29"


COLUMNS = (
    Column("player", lambda row: row.label, lambda row: (row.layer, row.label)),
    Column("drop", lambda row: "–" if row.drop is None else f"{row.drop:.3f}"[1:], lambda row: row.drop, numeric=True),
    Column("±se", lambda row: ".5", lambda row: 0.5, numeric=True),
    Column("state now", lambda row: row.state, lambda row: row.state, common=True),
)
SHOWN = listing(
    COLUMNS,
    [
        Row("Attn 0", 0, 0.5, "running"),
        Row("FFN 0", 0, 0.25, "=cmd() and so on"),
        Row("Attn 1", 1, None, "stopped"),
        Row("FFN 11", 11, 0.1, "stopped"),
    ],
)
EMPTY = listing(COLUMNS, [])


def labels(text: str, of: Listing = SHOWN) -> list[str]:
    keeps = filter_of(of, text)
    return [line.row.label for line in of.lines if keeps(line)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["Attn 0", "FFN 0", "Attn 1", "FFN 11"]),
        ("  FFN ", ["FFN 0", "FFN 11"]),
        ("drop > .2", ["Attn 0", "FFN 0"]),
        ("drop>.2", ["Attn 0", "FFN 0"]),
        ("drop >= 25%", ["Attn 0", "FFN 0"]),
        ("DROP < 2.5e-1", ["FFN 11"]),
        ("drop != .5", ["FFN 0", "FFN 11"]),
        ("drop <> .5", ["FFN 0", "FFN 11"]),
        ("drop == 0.1", ["FFN 11"]),
        ("drop > .2 and player = 'FFN 0'", ["FFN 0"]),
        ("drop > .2 AND player = FFN 0", ["FFN 0"]),
        ('layer = "FFN 0"', ["FFN 0"]),
        ("layer = 11", ["FFN 11"]),
        ("layer < 1 and layer ~ ffn", ["FFN 0"]),
        ("player ~ attn", ["Attn 0", "Attn 1"]),
        ("player !~ attn", ["FFN 0", "FFN 11"]),
        ("label = attn 1", ["Attn 1"]),
        ("±se = .5 and state = stopped", ["Attn 1", "FFN 11"]),
        ('started >= "2026-11-30"', []),
        ("started > '2026-11'", ["Attn 0", "FFN 0", "Attn 1", "FFN 11"]),
        ('"=cmd()"', ["FFN 0"]),
        ("'cmd() and so'", ["FFN 0"]),
        ("state = '=cmd() and so on'", ["FFN 0"]),
        ("sand", []),
    ],
)
def test_rows_that_pass(text: str, expected: list[str]) -> None:
    assert labels(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dorp > 1", "no column dorp; did you mean drop?"),
        ("zzz = 1", "no column zzz; there is player, drop, ±se, state now, label"),
        ("drop >", "write a value after >"),
        ("> 3", "write a column before >"),
        ("drop > x", "drop has numbers, and x is none"),
        ("state > 3", "state has no numbers"),
        ("drop > .2 and", "write a condition after `and`"),
        ("drop > .2 and player", "`player` compares nothing"),
        ("drop > .2 or player = x", "write one comparison"),
        ("player = 'FFN", "close the quotes"),
    ],
)
def test_a_wrong_filter_says_why(text: str, reason: str) -> None:
    with pytest.raises(FilterError) as said:
        filter_of(SHOWN, text)
    assert reason in str(said.value)


def test_a_table_without_rows_has_columns_still() -> None:
    assert labels("drop > .2", EMPTY) == []
