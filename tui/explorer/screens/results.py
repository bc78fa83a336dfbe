"""The results browser: choose a table, filter, sort and export it, and open a coalition's documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Input, Static, Tab, Tabs

from core.errors import CornerstoneError
from store.tables import tables
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import RESULTS, bindings
from tui.explorer.browser_tables import Scope, read_listing, removed_of
from tui.explorer.listing import Line, Listing, Order, count_text, view
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.interaction_map import InteractionMap
from tui.explorer.widgets.result_table import ResultTable, TableColumn

_TYPING_PAUSE_S = 0.1

_NOTHING_HERE = (
    "no row here yet: back on the explorer, space on a layer evaluates the model without it, and r runs a schedule"
)


@dataclass
class ListingRead(Message):
    """A worker's result: the listing, or an error. It is stale if a later reading began."""

    table: str
    reading: int
    found: Listing | str


class ResultsScreen(Screen[None]):
    """The tables of a store: of one model and task, or on demand of all."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("results", RESULTS)]
    AUTO_FOCUS = "ResultTable"
    TITLE = "Results"

    DEFAULT_CSS = """
    ResultsScreen {
        padding: 0 1;
        #above { height: 1; margin-bottom: 1; }
        #filter { width: 28; margin-left: 1; }
        #subject {
            width: 1fr; padding-right: 1; color: $text-muted;
            text-align: right; text-overflow: ellipsis; text-wrap: nowrap;
        }
        #sentence { height: 1fr; padding: 2 4; color: $text-muted; display: none; }
        #notes {
            height: auto; max-height: 4; padding: 0 1; color: $text-muted;
            scrollbar-size: 1 1; scrollbar-background: $background; scrollbar-color: $foreground 20%;
        }
        #notes.-rule { max-height: 10; }
        #count { height: 1; color: $text-muted; padding: 0 1; }
    }
    """

    def __init__(self, store: Path, scope: Scope) -> None:
        super().__init__()
        self._store = store
        self._chosen = self._scope = scope
        self._table = next(iter(tables()))
        self._reading = 0
        self._listings: dict[str, Listing | str] = {}
        self._orders: dict[str, Order] = {}
        self._lines: list[Line] = []
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        tabs = Tabs(*(Tab(table.title, id=table.name) for table in tables().values() if table.listed))
        tabs.can_focus = False  # t goes round, and the arrow keys stay with the rows
        yield tabs
        with Horizontal(id="above"):
            yield FilterInput(id="filter")
            yield Static(id="subject", markup=False)
        yield InteractionMap()
        yield ResultTable()
        yield Static(id="sentence", markup=False)
        with VerticalScroll(id="notes"):
            yield Static(markup=False)
        yield Static(id="count", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    @property
    def _listing(self) -> Listing | None:
        found = self._listings.get(self._table)
        return found if isinstance(found, Listing) else None

    @work(thread=True)
    def _read(self, table: str, reading: int, scope: Scope) -> None:
        found: Listing | str
        try:
            found = read_listing(self._store, tables()[table], scope)
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(ListingRead(table, reading, found))

    @on(ListingRead)
    def _take(self, message: ListingRead) -> None:
        if message.reading != self._reading:
            return
        self._listings[message.table] = message.found
        if message.table == self._table:
            self._show()

    @on(Tabs.TabActivated)
    def _show_table(self, event: Tabs.TabActivated) -> None:
        self._table = str(event.tab.id)
        self._show_or_read()

    @on(Input.Changed, "#filter")
    def _filter_later(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_PAUSE_S, self._show)

    @on(FilterInput.Left)
    def _to_rows(self) -> None:
        self.query_one(ResultTable).focus()

    @on(ResultTable.ColumnPicked)
    def _sort_by_click(self, event: ResultTable.ColumnPicked) -> None:
        self._sort(event.column)

    @on(ResultTable.Opened)
    def _open_by_click(self) -> None:
        self.action_open()

    @on(ResultTable.Moved)
    def _follow_on_map(self) -> None:
        line = self._line_under_cursor()
        if self._table == "interactions" and line is not None and self._listing is not None:
            found = self.query_one(InteractionMap)
            group = (line.row.model_id, line.row.task_id)
            of_group = (other.row for other in self._listing.lines)
            found.show(tuple(row for row in of_group if (row.model_id, row.task_id) == group))
            found.point_at(line.row.size, line.row.first)

    @on(InteractionMap.Picked)
    def _follow_in_table(self, event: InteractionMap.Picked) -> None:
        here = self._line_under_cursor()
        for at, line in enumerate(self._lines):
            row = line.row
            fits = here is not None and (row.model_id, row.task_id) == (here.row.model_id, here.row.task_id)
            if fits and (row.size, row.first) == (event.size, event.first):
                self.query_one(ResultTable).go_to(at)

    def action_filter(self) -> None:
        self.query_one(FilterInput).focus()

    def action_sort(self) -> None:
        self._sort(self.query_one(ResultTable).cursor_column)

    def action_next_table(self) -> None:
        self.query_one(Tabs).action_next_tab()

    def action_everything(self) -> None:
        self._scope = self._chosen.wide if self._scope == self._chosen else self._chosen
        self.action_reload()

    def action_reload(self) -> None:
        self._reading += 1
        self._listings.clear()
        self._show_or_read()

    def action_open(self) -> None:
        line = self._line_under_cursor()
        removed = None if line is None else removed_of(line.row)
        if line is not None and removed is not None:
            self.app.push_screen(DocumentsScreen(self._store, self._scope.of(line.row), removed))
        elif line is not None and self._table == "shapley":
            self.notify("documents of a group of layers are found under Coalitions, by the players it has")

    def action_export(self) -> None:
        self.app.push_screen(ExportDialog(self._store, self._scope, table=self._table))

    def action_back(self) -> None:
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide actions from the footer that have nothing to act on."""
        if action == "everything":
            return self._chosen.narrow
        return action != "open" or tables()[self._table].documents

    def _show_or_read(self) -> None:
        self._show()
        if self._table not in self._listings:
            self._read(self._table, self._reading, self._scope)

    def _sort(self, column: int) -> None:
        listing = self._listing
        if listing is None or column >= len(listing.columns):
            return
        order = self._orders.get(self._table)
        again = order is not None and order.column == column
        new = replace(order, falling=not order.falling) if order and again else None
        self._orders[self._table] = new or Order(column, listing.columns[column].falling)
        self._show()

    def _line_under_cursor(self) -> Line | None:
        row = self.query_one(ResultTable).cursor_row
        return self._lines[row] if self._listing is not None and 0 <= row < len(self._lines) else None

    def _show(self) -> None:
        """Draw the chosen table, or the sentence that stands in its place."""
        found = self._listings.get(self._table, "reading the store …")
        table, sentence = self.query_one(ResultTable), self.query_one("#sentence", Static)
        has_rows = isinstance(found, Listing) and bool(found.lines)
        if self.focused is table and not has_rows:
            self.set_focus(None)  # Textual would give the focus to another widget, such as the filter
        table.display, sentence.display = has_rows, not has_rows
        self.query_one(InteractionMap).display = False
        if isinstance(found, Listing):
            self._show_listing(found, table)
            if self.focused is None and has_rows:
                table.focus()  # it lost the focus, or could not have it, while it was hidden
        else:
            self._lines = []
        sentence.update(_NOTHING_HERE if isinstance(found, Listing) else found)
        notes = "\n".join(found.notes) if isinstance(found, Listing) else ""
        self.query_one("#notes > Static", Static).update(notes)
        self.query_one("#notes").display = bool(notes)
        self.query_one("#notes").set_class(self._table == "cornerstones", "-rule")
        self.query_one("#subject", Static).update(found.subject if isinstance(found, Listing) else "")
        self.refresh_bindings()

    def _show_listing(self, listing: Listing, table: ResultTable) -> None:
        order = self._orders.get(self._table)
        if order is not None and order.column >= len(listing.columns):
            order = None  # a column has gone since: all rows agree in it now
        wanted = self.query_one(FilterInput).value
        self._lines = view(listing, wanted, order)
        table.show(_titled(listing, order, self.size.width // 2), [line.cells for line in self._lines])
        if self._table == "interactions" and self._lines:
            self.query_one(InteractionMap).display = True
            self._follow_on_map()
        self.query_one("#count", Static).update(count_text(len(self._lines), len(listing.lines), wanted))


def _titled(listing: Listing, order: Order | None, widest: int) -> list[TableColumn]:
    """Return the columns. Each has room for the sort arrow, so that nothing moves.

    The first column is always visible, and at most ``widest`` cells wide, which leaves room for the others.
    """
    arrows = {} if order is None else {order.column: "↓" if order.falling else "↑"}
    found = []
    for at, (column, width) in enumerate(zip(listing.columns, listing.widths, strict=True)):
        arrow = arrows.get(at, " ")
        title = f"{arrow} {column.title}" if column.numeric else f"{column.title} {arrow}"
        room = max(width, len(title))
        found.append(TableColumn(title, min(room, widest) if at == 0 else room, column.numeric))
    return found
