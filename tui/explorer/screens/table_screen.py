"""The base of the screens with rows: how these are found, sorted, copied and remembered is the same on each."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.timer import Timer
from textual.widgets import Input

from tui.drawing.plain import plain_lines
from tui.explorer.browsing import LONGEST, Browsing, Cursor, Sorted
from tui.explorer.clipboard import copy
from tui.explorer.listing import Listing, Order
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.screens.shown_listing import Same, ShownListing
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.result_table import ResultTable

_TYPING_PAUSE_S: Final = 0.1


class TableScreen(ExplorerScreen):
    """A screen whose body has a ``ResultTable``, a ``FilterInput`` ``#filter`` and a line ``#count``.

    Args:
        before: what was chosen when the screen was last shown.
    """

    AUTO_FOCUS = "ResultTable"
    DEFAULT_CSS = """
    TableScreen {
        #above { height: auto; }
        #filter { width: 28; margin-left: 1; }
        #subject {
            width: 1fr; padding-right: 1; color: $text-muted;
            text-align: right; text-overflow: ellipsis; text-wrap: nowrap;
        }
        #sentence { height: 1fr; padding: 2 4; color: $text-muted; }
        #notes {
            height: auto; padding: 0 1; color: $text-muted;
            scrollbar-size: 1 1; scrollbar-background: $background; scrollbar-color: $foreground 20%;
        }
        #count { height: 1; color: $text-muted; padding: 0 1; }
        #count.-fault { color: $text-error; height: auto; max-height: 4; }
    }
    """

    def __init__(self, before: Browsing = Browsing()) -> None:  # noqa: B008 it is frozen
        super().__init__()
        self.before = before
        self.shown = ShownListing(self)
        self._front = before.table
        self._sorted = dict(before.sorted)
        self._cursors = dict(before.cursors)
        self._filtered = before.filter
        self._typing: Timer | None = None

    def redraw(self) -> None:
        """Draw the rows again, because the filter or the order has changed."""
        raise NotImplementedError

    def keep(self, browsing: Browsing) -> None:
        """Have what is chosen remembered."""

    def command(self) -> str:
        """Return the command that prints what is shown."""
        raise NotImplementedError

    @property
    def table(self) -> ResultTable:
        """The rows as they are drawn."""
        return self.query_one(ResultTable)

    def show_rows(self, name: str, listing: Listing | None, same: Same | None = None) -> None:
        """Draw a listing in its order; no other draws none. Rows that were not shown before begin where they were left.

        Args:
            name: the name of the table, by which order and cursor are remembered.
            listing: the rows.
            same: tells whether two rows are of the same thing, on which the cursor then stays.
        """
        fresh, self._front = listing is not self.shown.listing, name
        if listing is None:
            self.shown.show(None, None)
            return
        order = _order(listing, self._sorted.get(name))
        if same is not None:
            self.shown.show(listing, order, same=same)
            return
        at = self._cursors.get(name, Cursor()) if fresh else Cursor(column=self.table.cursor_column)
        self.shown.show(listing, order, row=at.row)
        self.table.go_to(at.row, at.column)

    def begin_again(self, name: str) -> None:
        """Forget the cursor in a table, as other rows come."""
        self._cursors.pop(name, None)

    def forget(self) -> None:
        """Forget order, cursor and filter, as other rows come that have nothing to do with these."""
        self._sorted.clear()
        self._cursors.clear()
        self._filtered = self.query_one(FilterInput).value = ""

    def note(self) -> None:
        """Remember the cursor, and have all that is chosen kept."""
        if self.shown.listing is not None:
            self._cursors[self._front] = Cursor(row=self.table.cursor_row, column=self.table.cursor_column)
        chosen = self.shown.wanted[:LONGEST]
        self.keep(Browsing(table=self._front, filter=chosen, sorted=self._sorted, cursors=self._cursors))

    def on_unmount(self) -> None:
        self._stop_typing()

    def _stop_typing(self) -> bool:
        """Stop to wait for more letters of the filter; return whether that was waited for."""
        timer, self._typing = self._typing, None
        if timer is not None:
            timer.stop()
        return timer is not None

    @on(Input.Changed, "#filter")
    def _filter_later(self, event: Input.Changed) -> None:
        self._stop_typing()
        if event.value != self._filtered:  # it is not what stood there before
            self._typing = self.set_timer(_TYPING_PAUSE_S, self._filter)

    def _filter(self) -> None:
        self._stop_typing()
        self._filtered = self.shown.wanted
        self.redraw()
        self.note()

    @on(FilterInput.Left)
    def _leave_filter(self) -> None:
        if self._stop_typing():
            self._filter()
        self.to_rows()

    def to_rows(self) -> None:
        """Give the focus to the rows."""
        self.table.focus()

    @on(ResultTable.ColumnPicked)
    def _sort_by_click(self, event: ResultTable.ColumnPicked) -> None:
        self._sort(event.column)

    @on(ResultTable.Opened)
    async def _open_by_click(self) -> None:
        await self.run_action("open")

    def action_filter(self) -> None:
        self.query_one(FilterInput).focus()

    def action_sort(self) -> None:
        self._sort(self.table.cursor_column)

    def _sort(self, column: int) -> None:
        order, listing = self.shown.order_by(column), self.shown.listing
        if order is not None and listing is not None:
            self._sorted[self._front] = Sorted(column=listing.columns[order.column].title, falling=order.falling)
            self.redraw()
            self.note()

    def action_copy(self) -> None:
        self.shown.copy_cell()

    def action_copy_row(self) -> None:
        self.shown.copy_row()

    def action_copy_command(self) -> None:
        copy(self.app, plain_lines(self.command()), "command")

    def action_back(self) -> None:
        self.note()
        self.dismiss()


def _order(listing: Listing, chosen: Sorted | None) -> Order | None:
    """Return the order by a column; none if the column has gone since, as all rows agree in it now."""
    titles = [column.title for column in listing.columns]
    if chosen is None or chosen.column not in titles:
        return None
    return Order(titles.index(chosen.column), chosen.falling)
