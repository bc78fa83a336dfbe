"""The results browser: choose a table, filter, sort and export it, and open a coalition's documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static, Tab, Tabs

from core.errors import CornerstoneError
from store.tables import tables
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import RESULTS, bindings
from tui.explorer.browser_tables import command_of, is_same, read_listing, removed_of
from tui.explorer.browsing import Browsing
from tui.explorer.listing import Listing
from tui.explorer.scope import Scope
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.table_screen import TableScreen
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.interaction_map import InteractionMap
from tui.explorer.widgets.result_table import ResultTable
from tui.explorer.write_table import Shown

_NOTHING_HERE = (
    "no row here yet: back on the explorer, space on a layer evaluates the model without it, and r runs a schedule"
)


_NO_DOCUMENTS = {
    "shapley": "documents of a group of layers are found under Coalitions, by the players it has",
    "cornerstones": "a row is over all tasks: Ablation has the documents of a layer on one task",
    "runs": "a run has no documents of its own: Coalitions has those of what it evaluated",
}
"""What is said where a row leads to no documents."""


class Rows(ResultTable):
    """The rows of a table of results."""

    HELP = (
        "All numbers of a row are of the same n documents, so that drop is intact less acc. 95% is the interval of the "
        "number before it. ±se is the standard error of acc; where all documents have the same score there is none, "
        "and the 95% interval of acc stands there."
    )


@dataclass
class ListingRead(Message):
    """A worker's result: the listing, or an error. It is stale if a later reading began."""

    table: str
    reading: int
    found: Listing | str


class ResultsScreen(TableScreen):
    """The tables of a store: of one model and task, or on demand of all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("results", RESULTS),
        Binding("enter", "say_no_documents", show=False),
    ]
    TITLE = "Results"

    DEFAULT_CSS = """
    ResultsScreen {
        #above { margin-bottom: 1; }
        #sentence { display: none; }
        #notes { max-height: 4; }
        #notes.-rule { max-height: 10; }
    }
    """

    def __init__(
        self,
        store: Path,
        scope: Scope,
        before: Browsing = Browsing(),  # noqa: B008
        keep: Callable[[Browsing], None] = lambda _: None,
    ) -> None:
        """Prepare the browser.

        Args:
            store: the file of the store.
            scope: the model and task that the explorer shows.
            before: what was chosen when the browser was last shown.
            keep: is given what is chosen, whenever that changes.
        """
        super().__init__(before)
        self._store = store
        self._chosen = self._scope = scope
        if before.everything and scope.narrow:
            self._scope = scope.wide
        listed = [table.name for table in tables().values() if table.listed]
        self._table = before.table if before.table in listed else listed[0]
        self._keep = keep
        self._reading = 0
        self._listings: dict[str, Listing | str] = {}

    def body(self) -> ComposeResult:
        listed = [table for table in tables().values() if table.listed]
        tabs = Tabs(*(Tab(table.title, id=table.name) for table in listed), active=self._table)
        tabs.can_focus = False  # t goes round, and the arrow keys stay with the rows
        yield tabs
        with Horizontal(id="above"):
            yield FilterInput(self.before.filter, id="filter")
            yield Static(id="subject", markup=False)
        yield InteractionMap()
        yield Rows()
        yield Static(id="sentence", markup=False)
        with VerticalScroll(id="notes"):
            yield Static(markup=False)
        yield Static(id="count", markup=False)

    def keep(self, browsing: Browsing) -> None:
        self._keep(browsing.model_copy(update={"everything": self._scope != self._chosen}))

    def command(self) -> str:
        return command_of(tables()[self._table], self._scope, self._store)

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

    def look_again(self) -> None:
        self._reading += 1
        self._listings = {table: found for table, found in self._listings.items() if table == self._table}
        self._read(self._table, self._reading, self._scope)

    @on(ListingRead)
    def _take(self, message: ListingRead) -> None:
        before = self._listings.get(message.table)
        if message.reading != self._reading or (isinstance(before, Listing) and isinstance(message.found, str)):
            return  # rows that cannot be read again stay
        here = self.shown.line if before is not None else None
        self._listings[message.table] = message.found
        if message.table != self._table:
            return
        self.redraw()
        if here is not None:
            same = (at for at, line in enumerate(self.shown.lines) if is_same(line.row, here.row))
            self.table.go_to(next(same, self.table.cursor_row))

    @on(Tabs.TabActivated)
    def _show_table(self, event: Tabs.TabActivated) -> None:
        self.note()
        self._table = str(event.tab.id)
        self._show_or_read()
        self.note()

    @on(ResultTable.Moved)
    def _follow_on_map(self) -> None:
        line = self.shown.line
        if self._table == "interactions" and line is not None and self._listing is not None:
            found = self.query_one(InteractionMap)
            group = (line.row.model_id, line.row.task_id)
            of_group = (other.row for other in self._listing.lines)
            found.show(tuple(row for row in of_group if (row.model_id, row.task_id) == group))
            found.point_at(line.row.size, line.row.first)

    @on(InteractionMap.Picked)
    def _follow_in_table(self, event: InteractionMap.Picked) -> None:
        here = self.shown.line
        for at, line in enumerate(self.shown.lines):
            row = line.row
            fits = here is not None and (row.model_id, row.task_id) == (here.row.model_id, here.row.task_id)
            if fits and (row.size, row.first) == (event.size, event.first):
                self.table.go_to(at)

    def action_next_table(self) -> None:
        self.query_one(Tabs).action_next_tab()

    def action_everything(self) -> None:
        self._scope = self._chosen.wide if self._scope == self._chosen else self._chosen
        self.action_reload()

    def action_reload(self) -> None:
        self.note()
        self._reading += 1
        self._listings.clear()
        self._show_or_read()

    def action_open(self) -> None:
        line = self.shown.line
        removed = None if line is None else removed_of(line.row)
        if line is not None and removed is not None:
            self.note()
            self.app.push_screen(DocumentsScreen(self._store, self._scope.of(line.row), removed))
        elif line is not None:
            self.action_say_no_documents()

    def action_say_no_documents(self) -> None:
        self.notify(_NO_DOCUMENTS.get(self._table, "a row of this table has no documents of its own"))

    def action_export(self) -> None:
        shown = None
        if self.shown.listing is not None:
            row = tables()[self._table].row
            shown = Shown(self._table, row, self.shown.rows, self.shown.rows_in_words)
        self.app.push_screen(ExportDialog(self._store, self._scope, table=self._table, shown=shown))

    def action_sql(self) -> None:
        from tui.explorer.screens.sql import SqlScreen

        self.app.push_screen(SqlScreen(self._store))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide actions from the footer that have nothing to act on."""
        if action == "everything":
            return self._chosen.narrow
        documents = tables()[self._table].documents
        return {"open": documents, "say_no_documents": not documents}.get(action, True)

    def _show_or_read(self) -> None:
        self.redraw()
        if self._table not in self._listings:
            self._read(self._table, self._reading, self._scope)

    def redraw(self) -> None:
        """Draw the chosen table, or the sentence that stands in its place."""
        found = self._listings.get(self._table, "reading the store …")
        table, sentence = self.table, self.query_one("#sentence", Static)
        has_rows = isinstance(found, Listing) and bool(found.lines)
        if self.focused is table and not has_rows:
            self.set_focus(None)  # Textual would give the focus to another widget, such as the filter
        table.display, sentence.display = has_rows, not has_rows
        self.show_rows(self._table, found if isinstance(found, Listing) else None)
        self.query_one(InteractionMap).display = self._table == "interactions" and bool(self.shown.lines)
        self._follow_on_map()
        if self.focused is None and has_rows:
            table.focus()  # it lost the focus, or could not have it, while it was hidden
        sentence.update(_NOTHING_HERE if isinstance(found, Listing) else found)
        notes = "\n".join(found.notes) if isinstance(found, Listing) else ""
        self.query_one("#notes > Static", Static).update(notes)
        self.query_one("#notes").display = bool(notes)
        self.query_one("#notes").set_class(self._table == "cornerstones", "-rule")
        self.query_one("#subject", Static).update(found.subject if isinstance(found, Listing) else "")
        self.refresh_bindings()
