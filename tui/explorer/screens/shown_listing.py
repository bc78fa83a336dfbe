"""A listing as a screen shows it in its table: filtered, sorted, counted, copied, and handed to an export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rich.segment import Segment
from textual.screen import Screen
from textual.widgets import Static

from tui.drawing import colours
from tui.drawing.numbers import whole
from tui.drawing.plain import plain
from tui.explorer.clipboard import copy
from tui.explorer.filtering import FilterError, Keeps, filter_of
from tui.explorer.listing import Line, Listing, Order, count_text, shown_whole, view
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.result_table import Cell, ResultTable, TableColumn

_QUIET = colours.QUIET.rich_style

Same = Callable[[Any, Any], bool]
"""Tells whether two rows are of the same thing."""


class ShownListing:
    """What a screen with a ``ResultTable``, a ``FilterInput`` and a line ``#count`` shows of a listing."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._keeps: Keeps | None = None
        self._read: str | None = None  # the filter that was read last
        self.listing: Listing | None = None
        self.order: Order | None = None
        self.lines: Sequence[Line] = ()
        self._said = ("", False)

    @property
    def wanted(self) -> str:
        """The text of the filter."""
        return self._screen.query_one(FilterInput).value

    @property
    def line(self) -> Line | None:
        """The line under the cursor."""
        row = self._screen.query_one(ResultTable).cursor_row
        return self.lines[row] if self.listing is not None and 0 <= row < len(self.lines) else None

    def show(self, listing: Listing | None, order: Order | None, *, row: int = 0, same: Same | None = None) -> None:
        """Draw a listing; none empties the table.

        Args:
            listing: the rows.
            order: how they are sorted.
            row: where the cursor goes.
            same: tells whether two rows are of the same thing. The cursor then stays on its own, if that is there.
        """
        here = self.line
        if listing is not self.listing:
            self._keeps = self._read = None
        self.listing = listing
        self.order = order if order is not None and listing and order.column < len(listing.columns) else None
        if listing is None:
            self.lines = ()
            self.say("")
            return
        said = self._read_filter(listing)
        self.lines = view(listing.lines, self._keeps or (lambda _: True), self.order)
        if same is not None and here is not None:
            row = next((at for at, line in enumerate(self.lines) if same(line.row, here.row)), row)
        columns = titled(listing, self.order, self._screen.size.width // 2)
        self._screen.query_one(ResultTable).show(columns, [_drawn(line) for line in self.lines], row=row)
        self.say(said or count_text(len(self.lines), len(listing.lines), self.wanted), fault=bool(said))

    def say(self, text: str, *, fault: bool = False) -> None:
        """Write a line below the rows, if it is another."""
        if (text, fault) != self._said:
            self._said = (text, fault)
            count = self._screen.query_one("#count", Static)
            count.set_class(fault, "-fault")
            count.update(plain(text))

    def _read_filter(self, listing: Listing) -> str:
        """Read the filter, and return what is wrong with it; the last that could be read stays while one is written."""
        if self._read == self.wanted:
            return ""
        try:
            self._keeps, self._read = filter_of(listing, self.wanted), self.wanted
        except FilterError as error:
            return str(error)
        return ""

    def order_by(self, column: int) -> Order | None:
        """Return the order after a column is chosen: the other way round if it was chosen before."""
        if self.listing is None or column >= len(self.listing.columns):
            return self.order
        if self.order is not None and self.order.column == column:
            return replace(self.order, falling=not self.order.falling)
        return Order(column, self.listing.columns[column].falling)

    def copy_cell(self) -> None:
        """Copy the cell under the cursor in full."""
        column = self._screen.query_one(ResultTable).cursor_column
        if self.line is not None and self.listing is not None:
            copy(self._screen.app, shown_whole(self.listing.columns[column], self.line.row), "cell")

    def copy_row(self) -> None:
        """Copy the row under the cursor, with tabs between its cells."""
        if self.line is not None and self.listing is not None:
            row = self.line.row
            copy(self._screen.app, "\t".join(shown_whole(column, row) for column in self.listing.columns), "row")

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows that pass the filter, in their order."""
        return tuple(line.row for line in self.lines)

    @property
    def rows_in_words(self) -> str:
        """Return which rows are shown, such as ``12 of 60 rows, filtered and sorted``."""
        total = 0 if self.listing is None else len(self.listing.lines)
        changed = ["filtered"] * (len(self.lines) < total) + ["sorted"] * (self.order is not None)
        number = f"{whole(len(self.lines))} of {whole(total)}" if len(self.lines) < total else whole(total)
        return f"{number} row{'' if total == 1 else 's'}" + (f", {' and '.join(changed)}" if changed else "")


def _drawn(line: Line) -> Sequence[Cell]:
    """Return a line's cells as they are drawn."""
    return [Segment(cell, _QUIET) for cell in line.cells] if line.quiet else line.cells


def titled(listing: Listing, order: Order | None, widest: int) -> list[TableColumn]:
    """Return the columns. Each has room for the sort arrow, so that nothing moves.

    The first column is always visible, and at most ``widest`` cells wide, which leaves room for the others.
    """
    arrows = {} if order is None else {order.column: "↓" if order.falling else "↑"}
    found = []
    for at, (column, width) in enumerate(zip(listing.columns, listing.widths, strict=True)):
        arrow, title = arrows.get(at, " "), plain(column.title)
        title = f"{arrow} {title}" if column.numeric else f"{title} {arrow}"
        room = max(width, len(title))
        found.append(TableColumn(title, min(room, widest) if at == 0 else room, column.numeric))
    return found
