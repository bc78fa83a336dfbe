"""A table of results as the explorer shows it: text by column, filtered and sorted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from tui.drawing.numbers import whole
from tui.drawing.plain import plain

# A cell is for reading at a glance; the whole text is in every export.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Column:
    """How a row's cell reads and sorts.

    ``falling`` says which end a reader wants first. A column that is ``common`` is named once above the table, not in
    every row, where all rows agree. ``whole`` is what a filter looks in where the cell says it in short.
    """

    title: str
    text: Callable[[Any], str]
    key: Callable[[Any], Any]
    numeric: bool = False
    falling: bool = False
    common: bool = False
    whole: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row with its cells and its sort keys, column by column; ``haystack`` is what a filter looks in."""

    row: Any
    cells: tuple[str, ...]
    keys: tuple[Any, ...]
    haystack: str


@dataclass(frozen=True, slots=True)
class Listing:
    """All of a table. ``subject`` says what is the same in every line, ``notes`` what could not be answered.

    ``widths`` are of the widest cells, in terminal cells.
    """

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    lines: tuple[Line, ...]
    subject: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """By which column lines are sorted, and whether the largest comes first."""

    column: int
    falling: bool


def listing(columns: Sequence[Column], rows: Sequence[Any], notes: Sequence[str] = ()) -> Listing:
    """The listing of rows, every text made plain."""
    texts = [[plain(column.text(row))[:_LONGEST] for column in columns] for row in rows]
    common = {
        at for at, column in enumerate(columns) if column.common and rows and len({cells[at] for cells in texts}) == 1
    }
    kept = [at for at in range(len(columns)) if at not in common]
    lines = tuple(
        Line(
            row,
            tuple(cells[at] for at in kept),
            tuple(columns[at].key(row) for at in kept),
            "\n".join((*cells, *(plain(column.whole(row)) for column in columns if column.whole))).casefold(),
        )
        for row, cells in zip(rows, texts, strict=True)
    )
    widths = tuple(max((cell_len(line.cells[at]) for line in lines), default=0) for at in range(len(kept)))
    subject = " · ".join(filter(None, (texts[0][at] for at in sorted(common)))) if common else ""
    return Listing(tuple(columns[at] for at in kept), widths, lines, subject, tuple(map(plain, notes)))


def view(of: Listing, wanted: str, order: Order | None) -> list[Line]:
    """The lines that contain a text, sorted; what is undefined comes last either way."""
    text = wanted.strip().casefold()
    lines = [line for line in of.lines if text in line.haystack]
    if order is None:
        return lines
    defined = [line for line in lines if line.keys[order.column] is not None]
    defined.sort(key=lambda line: line.keys[order.column], reverse=order.falling)
    return defined + [line for line in lines if line.keys[order.column] is None]


def count_text(matching: int, total: int, wanted: str) -> str:
    """How many rows there are, and how many of them a filter leaves."""
    rows = "row" if total == 1 else "rows"
    if not wanted.strip():
        return f"{whole(total)} {rows}"
    return f"{whole(matching)} of {whole(total)} {rows} {'contains' if matching == 1 else 'contain'} the filter"
