"""A table of results as the explorer shows it: text in columns, filtered and sorted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from tui.drawing.numbers import whole
from tui.drawing.plain import plain

# Cells are short. Every export has the whole text.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: how it writes the cell of a row, and the key that sorts rows.

    ``falling`` puts the largest first. If all rows agree in a ``common`` column, it stands once above the table.
    ``whole`` is the text that a filter searches if the cell has a short form.
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
    """A row with its cells and sort keys by column. ``more`` is text that a filter searches besides the cells.

    A ``quiet`` line matters less than others.
    """

    row: Any
    cells: tuple[str, ...]
    keys: tuple[Any, ...]
    more: str = ""
    quiet: bool = False

    @property
    def haystack(self) -> str:
        """The text that a filter searches, without the difference between capital and small letters."""
        return "\n".join((*self.cells, self.more)).casefold()


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole table. ``subject`` is the text that all lines share, and ``notes`` are sentences on gaps and doubts.

    ``widths`` are the widths of the widest cells, in terminal cells.
    """

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    lines: tuple[Line, ...]
    subject: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """The column by which lines are sorted, and whether the largest comes first."""

    column: int
    falling: bool


def listing(columns: Sequence[Column], rows: Sequence[Any], notes: Sequence[str] = ()) -> Listing:
    """Make a listing of rows. Every text is made harmless."""
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
            "\n".join(
                (
                    *(cells[at] for at in sorted(common)),
                    *(plain(column.whole(row)) for column in columns if column.whole),
                )
            ),
        )
        for row, cells in zip(rows, texts, strict=True)
    )
    widths = tuple(max((cell_len(line.cells[at]) for line in lines), default=0) for at in range(len(kept)))
    subject = " · ".join(filter(None, (texts[0][at] for at in sorted(common)))) if common else ""
    return Listing(tuple(columns[at] for at in kept), widths, lines, subject, tuple(map(plain, notes)))


def shown_whole(column: Column, row: Any) -> str:
    """Return the text of a row's cell in full, however long it is."""
    return plain((column.whole or column.text)(row))


def view(lines: Sequence[Line], keeps: Callable[[Line], bool], order: Order | None) -> list[Line]:
    """Return the lines that pass a filter, sorted. Undefined values come last in either order."""
    kept = [line for line in lines if keeps(line)]
    if order is None:
        return kept
    defined = [line for line in kept if line.keys[order.column] is not None]
    defined.sort(key=lambda line: line.keys[order.column], reverse=order.falling)
    return defined + [line for line in kept if line.keys[order.column] is None]


def count_text(matching: int, total: int, wanted: str) -> str:
    """Return in words how many rows there are, and how many a filter leaves."""
    rows = "row" if total == 1 else "rows"
    if not wanted.strip():
        return f"{whole(total)} {rows}"
    return f"{whole(matching)} of {whole(total)} {rows} {'passes' if matching == 1 else 'pass'} the filter"
