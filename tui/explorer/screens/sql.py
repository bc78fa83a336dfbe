"""The screen that asks the store in SQL: a query above, its rows below."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from core.errors import CornerstoneError
from tui.drawing.command_line import store_option
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain, plain_lines
from tui.explorer.actions import SQL, bindings
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.browsing import LONGEST_WRITTEN
from tui.explorer.listing import Listing
from tui.explorer.scope import Scope
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.table_screen import TableScreen
from tui.explorer.sql_history import past_queries, remember_query
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.query_box import QueryBox
from tui.explorer.widgets.result_table import ResultTable
from tui.explorer.write_table import Shown

if TYPE_CHECKING:
    from store.sql.query import Query

_FIRST = """\
The tables of the store:

  outcomes     one document under one coalition: acc, acc_norm, logprobs, ...
  coalitions   the numbers of the removed players
  documents    prompt, choices, gold
  models, tasks, datasets, members, runs, assignments   (DESCRIBE runs)

Such as:

  SELECT removed, count(*) AS n, avg(acc) AS acc
  FROM outcomes JOIN coalitions USING (coalition)
  GROUP BY removed ORDER BY acc LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class _Result:
    """The listing of a query's rows, their dataclass, and how many seconds the query took."""

    listing: Listing
    row: type
    seconds: float


@dataclass
class Answered(Message):
    """A worker's result: that of a query, or an error with the place in it. It is stale if a later query began."""

    asked: int
    found: _Result | str
    query: str


class SqlScreen(TableScreen):
    """Runs a query at a time, in a process of its own; what is shown does not hold the store."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sql", SQL)]
    AUTO_FOCUS = "QueryBox"
    TITLE = "SQL"

    DEFAULT_CSS = """
    SqlScreen {
        #offered { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        #above { margin-bottom: 1; display: none; }
        #filter { width: 40; }
        #sentence { padding: 1 2; overflow-y: auto; }
        #sentence.-fault { color: $text-error; }
        ResultTable { display: none; }
    }
    """

    def __init__(self, store: Path) -> None:
        super().__init__()
        self._store = store
        self._asked = 0
        self._query: Query | None = None
        self._result: _Result | None = None
        self._of = ""  # the query whose result is shown

    def body(self) -> ComposeResult:
        box = QueryBox(past_queries())
        box.border_title = "SQL: reads the store, changes nothing"
        box.border_subtitle = "enter runs, tab completes, up: earlier, esc: rows"
        yield box
        yield Static(id="offered", markup=False)
        with Horizontal(id="above"):
            yield FilterInput(id="filter")
            yield Static(id="subject", markup=False)
        yield ResultTable()
        yield Static(_FIRST, id="sentence", markup=False)
        yield Static(id="count", markup=False)

    def on_mount(self) -> None:
        self.query_one(QueryBox).write(self.explorer.session.query)

    def on_unmount(self) -> None:
        self._end()

    def note(self) -> None:
        """Have the query remembered, as it is written."""
        query = self.query_one(QueryBox).text[:LONGEST_WRITTEN]
        self.explorer.keep(self.explorer.session.model_copy(update={"query": query}))

    @on(QueryBox.Offered)
    def _show_offered(self, message: QueryBox.Offered) -> None:
        words = [f"[{word}]" if at == message.chosen else word for at, word in enumerate(message.words)]
        at = message.chosen or 0
        self.query_one("#offered", Static).update("  ".join(words[max(0, at - 2) :]))

    @on(QueryBox.Asked)
    def action_run(self) -> None:
        if self._query is not None:
            self._end()
            return
        query = self.query_one(QueryBox).text.strip()
        if not query:
            self._tell(_FIRST)
            return
        self.query_one(QueryBox).remember(query)
        self.note()
        # The rows of the query before stay, and so does the focus: keys that are typed meanwhile mean what they did.
        self.shown.say("running … (ctrl+s ends it)")
        from store.sql.query import Query

        self._asked += 1
        self._query = Query(self._store, query, PATIENCE_S)
        self._run(self._query, query, self._asked)

    def _end(self) -> None:
        if self._query is not None:
            self._query.stop()

    @work(thread=True, group="sql")
    def _run(self, asked: Query, query: str, number: int) -> None:
        from store.sql.query import QueryError
        from tui.explorer.sql_listing import listing_of

        remember_query(query)
        found: _Result | str
        try:
            rows = asked.result()
            found = _Result(listing_of(rows), rows.row, rows.seconds)
        except QueryError as error:
            found = plain_lines(f"{error}\n\n{error.where}")
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(Answered(number, found, query))

    @on(Answered)
    def _take(self, message: Answered) -> None:
        if message.asked != self._asked:
            return
        self._query = None
        if isinstance(message.found, str):
            self._tell(message.found, fault=True)
            return
        self._result, self._of = message.found, message.query
        listing = message.found.listing
        notes = [*listing.notes, f"{message.found.seconds:.1f} s"]
        self.query_one("#subject", Static).update(" · ".join(notes))
        self.forget()
        self._show_result(listing)

    def _show_result(self, listing: Listing) -> None:
        if not listing.lines:
            names = ", ".join(plain(column.title) for column in listing.columns)
            self._tell(f"no row: the query found nothing (columns: {names})")
            return
        self.query_one("#sentence").display = False
        for part in ("#above", "ResultTable"):
            self.query_one(part).display = True
        self.redraw()

    def _tell(self, text: str, *, fault: bool = False) -> None:
        """Show a sentence in place of rows."""
        self._result = None
        self.show_rows("", None)
        self.query_one(QueryBox).focus()  # the rows cannot have it any more
        sentence = self.query_one("#sentence", Static)
        for part in ("#above", "ResultTable"):
            self.query_one(part).display = False
        sentence.display = True
        sentence.set_class(fault, "-fault")
        sentence.update(text)

    def redraw(self) -> None:
        if self._result is not None:
            self.show_rows("", self._result.listing)

    def to_rows(self) -> None:
        if self._result is not None:
            super().to_rows()

    @on(QueryBox.Left)
    def _leave_query(self) -> None:
        self.to_rows()

    def command(self) -> str:
        query = self._of or self.query_one(QueryBox).text.strip()
        return shlex.join(["cornerstone", "results", "sql", *store_option(self._store), query])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what is done with rows while there are none, or a query is being written."""
        if action in {"filter", "sort", "export"}:
            return self._result is not None and not isinstance(self.focused, QueryBox)
        return action != "write" or not isinstance(self.focused, QueryBox)

    def action_write(self) -> None:
        self.query_one(QueryBox).focus()

    def action_filter(self) -> None:
        if self._result is not None:
            super().action_filter()

    def action_export(self) -> None:
        if self._result is None:
            self.notify("no result to write yet: run a query first")
            return
        rows = tuple(line.row for line in self._result.listing.lines)
        whole = Shown("query", self._result.row, rows, "every row of the result")
        shown = Shown("query", self._result.row, self.shown.rows, self.shown.rows_in_words)
        self.app.push_screen(ExportDialog(self._store, Scope(), table="query", shown=shown, result=whole))

    def action_back(self) -> None:
        if self.focused is self.query_one(QueryBox) and self._result is not None:
            self.table.focus()
        else:
            super().action_back()
