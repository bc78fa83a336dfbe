"""Rows with every kind of column, and texts that do harm where they are not escaped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One column of each type that rows of the store have."""

    name: str
    number: float | None
    count: int | None
    sure: bool
    began: datetime | None
    gold: int | tuple[int, ...] | None
    scores: tuple[float, ...]
    labels: tuple[str, ...]


BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678)  # noqa: DTZ001 as the store returns it

FULL = Row("tiny", -0.12345, 7, True, BEGAN, (1, 2), (-1.5, 2.25), ("Attn 0", "FFN 1"))
EMPTY = Row("", None, None, False, None, None, (), ())
UNDEFINED = Row("odd", math.nan, -1, False, None, 3, (-math.inf, math.inf, math.nan), ())

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1",
    "@SUM(A1)",
    "a|b",
    "two\nlines",
    "two\r\nlines",
    "<script>alert(1)</script>",
    "[red]text[/red] ![x](http://x)",
    "**bold** _it_ `code` ~~gone~~ # head",
    "&lt;b&gt; &copy;",
    r"50% $x$ #1 a_b {c} ~ ^ \input{x} \\",
    "[1ex] *",
    "* starred",
    'a "quoted", comma',
    "\x1b[31mred\x07",
    "é 漢 \U0001f600",
)
"""Formulas, markup of every kind, ends of lines, control characters."""


def hostile_row(text: str) -> Row:
    """Return a row whose texts are all ``text``."""
    return Row(text, 1.0, 1, True, None, None, (), (text, "b"))
