"""The compare screen: models and tasks against each other, the paper's tables, pairs, estimators, proxies, a path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, Tab, Tabs

from core.errors import CornerstoneError
from tui.drawing.mends import explorer_text
from tui.drawing.plain import counted, plain, plain_lines
from tui.explorer.actions import COMPARE, bindings
from tui.explorer.browsing import Browsing, Comparing
from tui.explorer.compare.topics import TOPICS
from tui.explorer.compare.view import Asked, Lead, View
from tui.explorer.scope import Scope
from tui.explorer.screens.compare_work import fill, measure_proxies, search_path
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.pick_side import PickDialog
from tui.explorer.screens.results import ResultsScreen
from tui.explorer.screens.table_screen import TableScreen
from tui.explorer.state import State
from tui.explorer.widgets.drawing_pane import DrawingPane
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.result_table import ResultTable
from tui.explorer.widgets.rows_and_drawings import RowsAndDrawings
from tui.explorer.write_table import Shown

if TYPE_CHECKING:
    from tui.explorer.compare.figures import Figures

_PAUSE_S: Final = 0.1
_READING: Final = "reading the store …"


@dataclass
class ViewRead(Message):
    """A worker's result: a view, or an error. It is stale if a later reading began."""

    topic: str
    reading: int
    found: View | str


@dataclass
class FiguresRead(Message):
    """A worker's result: what draws the figures of a model and a task at a width, or an error."""

    reading: int
    subject: tuple[str, str]
    found: Figures | str


class CompareScreen(TableScreen):
    """Views as tabs. Each has rows, a drawing beside them (below them on narrow terminals), or a text.

    Args:
        before: what was chosen when the screen was last shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("compare", COMPARE)]
    TITLE = "Compare"

    DEFAULT_CSS = """
    CompareScreen {
        #sentence { display: none; }
        #notes { max-height: 3; }
    }
    """

    def __init__(self, before: Comparing = Comparing()) -> None:  # noqa: B008 it is frozen
        super().__init__(before.browsing)
        self._topic = before.browsing.table if before.browsing.table in TOPICS else next(iter(TOPICS))
        self._reading = 0
        self._views: dict[str, View | str] = {}
        self._sides = dict(before.sides)
        self._figures: dict[tuple[str, str], Figures | str] = {}
        self._zoom = before.zoom
        self._drawing: Timer | None = None
        self._special: tuple[tuple[int, str, str], ...] = ()

    def body(self) -> ComposeResult:
        tabs = Tabs(*(Tab(topic.title, id=name) for name, topic in TOPICS.items()), active=self._topic)
        tabs.can_focus = False  # t goes round, and the arrow keys stay with the rows
        yield tabs
        with Horizontal(id="above"):
            yield FilterInput(self.before.filter, id="filter")
            yield Static(id="subject", markup=False)
        yield RowsAndDrawings(self._zoom)
        yield Static(id="sentence", markup=False)
        with VerticalScroll(id="notes"):
            yield Static(markup=False)
        yield Static(id="count", markup=False)

    def on_mount(self) -> None:
        self.watch(self.app, "state", self._follow_jobs)

    def on_unmount(self) -> None:
        if self._drawing is not None:
            self._drawing.stop()

    def keep(self, browsing: Browsing) -> None:
        comparing = Comparing(browsing=browsing, sides=self._sides, zoom=self.query_one(RowsAndDrawings).zoom)
        self.explorer.keep(self.explorer.session.model_copy(update={"comparing": comparing}))

    @property
    def _view(self) -> View | None:
        found = self._views.get(self._topic)
        return found if isinstance(found, View) else None

    def _asked(self, topic: str) -> Asked:
        """Return what a view is read for: what the explorer shows, and the sides that were chosen."""
        state = self.explorer.state
        one, other = self._sides.get(topic, ("", ""))
        config = self.explorer.config if state.bench is None else state.bench.config
        return Asked(
            self.explorer.store,
            value=config.value,
            settings=MappingProxyType(dict(config.settings)),
            model_id=None if state.bench is None else state.bench.model_id,
            task_id=None if state.bench_task is None else state.bench_task.task_id,
            one=one,
            other=other,
        )

    @work(thread=True)
    def _read(self, topic: str, reading: int, asked: Asked) -> None:
        found: View | str
        try:
            found = TOPICS[topic].read(asked)
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(ViewRead(topic, reading, found))

    def look_again(self) -> None:
        self._reading += 1
        self._views = {topic: found for topic, found in self._views.items() if topic == self._topic}
        self._figures.clear()
        self._read(self._topic, self._reading, self._asked(self._topic))

    @on(ViewRead)
    def _take(self, message: ViewRead) -> None:
        if message.reading != self._reading:
            return
        if message.topic == self._topic:
            self.note()
        self._views[message.topic] = message.found
        if message.topic == self._topic:
            self.redraw()

    @on(Tabs.TabActivated)
    def _show_topic(self, event: Tabs.TabActivated) -> None:
        self.note()
        self._topic = str(event.tab.id)
        self._show_or_read()
        self.note()

    def _show_or_read(self) -> None:
        self.redraw()
        if self._topic not in self._views:
            self._read(self._topic, self._reading, self._asked(self._topic))

    def redraw(self) -> None:
        """Draw the view of the tab in front, or the sentence that stands in its place."""
        view, said = self._view, self._views.get(self._topic, _READING)
        has_rows = view is not None and view.listing is not None and not view.is_empty
        is_text = view is not None and view.listing is None
        sides, sentence = self.query_one(RowsAndDrawings), self.query_one("#sentence", Static)
        sides.display, sentence.display = has_rows or is_text, not (has_rows or is_text)
        sentence.update(plain(said if isinstance(said, str) else said.nothing))
        self.query_one(FilterInput).display = has_rows
        self.query_one("#subject", Static).update(plain(view.subject) if view else "")
        self.show_rows(self._topic, view.listing if view is not None and has_rows else None)
        sides.lay_out(is_text=is_text, has_two=view is not None and view.more is not None)
        if self.focused is None or not self.focused.display:
            sides.focus_one()
        notes = "\n".join(view.notes) if view is not None and not view.is_empty else ""
        self.query_one("#notes > Static", Static).update(plain_lines(notes))
        self.query_one("#notes").display = bool(notes)
        self.refresh_bindings()
        self.call_after_refresh(self._draw)

    @on(DrawingPane.Resized)
    def _draw(self) -> None:
        """Draw what stands beside the row under the cursor, as wide as there is room."""
        view, sides = self._view, self.query_one(RowsAndDrawings)
        if view is None:
            return
        row, column = self._row, self.table.cursor_column
        subject = view.figures(row, column)
        if subject is not None:
            sides.draw(lambda width, _: self._figures_text(subject, width), None)
        else:
            more = None if view.more is None else partial(view.more, row, column)
            sides.draw(partial(view.draw, row, column), more)

    @property
    def _row(self) -> Any:
        """The row under the cursor."""
        return None if self.shown.line is None else self.shown.line.row

    def _figures_text(self, subject: tuple[str, str], width: int) -> str:
        """Return the figures of a model and a task; they are read at first."""
        found = self._figures.get(subject)
        if found is None:
            self._figures[subject] = found = _READING
            self._read_figures(self._reading, subject, self._asked(self._topic))
        return found if isinstance(found, str) else found.text(width)

    @work(thread=True)
    def _read_figures(self, reading: int, subject: tuple[str, str], asked: Asked) -> None:
        from tui.explorer.compare.figures import read_figures

        found: Figures | str
        try:
            found = read_figures(asked, *subject)
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(FiguresRead(reading, subject, found))

    @on(FiguresRead)
    def _take_figures(self, message: FiguresRead) -> None:
        if message.reading == self._reading:
            self._figures[message.subject] = message.found
            self._draw()

    @on(ResultTable.Moved)
    @on(ResultTable.ColumnMoved)
    def _draw_later(self) -> None:
        if self._drawing is not None:
            self._drawing.stop()
        self._drawing = self.set_timer(_PAUSE_S, self._draw)

    def _follow_jobs(self, state: State) -> None:
        """Read again what a path or proxies have found."""
        now = tuple((job.job, job.state, job.phase) for job in state.jobs if job.special is not None)
        if now != self._special:
            self._special = now
            for name, topic in TOPICS.items():
                if topic.work is not None and name in self._views:
                    self._read(name, self._reading, self._asked(name))

    def action_next_view(self) -> None:
        self.query_one(Tabs).action_next_tab()

    def action_zoom(self) -> None:
        self.query_one(RowsAndDrawings).zoom_on()
        self.note()
        self.call_after_refresh(self._draw)

    def action_reload(self) -> None:
        self.note()
        self._reading += 1
        self._views.clear()
        self._figures.clear()
        self._show_or_read()

    def action_export(self) -> None:
        export = None if self._view is None else self._view.export
        if export is None or not export.rows:
            self.explorer.say("there is nothing to write here yet")
            return
        result = Shown(export.name, export.row, export.rows, counted(len(export.rows), "row"))
        shown = None
        if self.shown.rows and all(isinstance(row, export.row) for row in self.shown.rows):
            shown = replace(result, rows=self.shown.rows, words=self.shown.rows_in_words)
        dialog = ExportDialog(self.explorer.store, Scope(), table=export.name, shown=shown, result=result)
        self.app.push_screen(dialog)

    def action_open(self) -> None:
        lead = None if self._view is None else self._view.lead(self._row, self.table.cursor_column)
        if lead is None:
            self.explorer.say("this leads nowhere")
        else:
            self.note()
            self._go(lead)

    def _go(self, lead: Lead) -> None:
        asked, store = self._asked(self._topic), self.explorer.store
        scope = Scope(lead.model_id, lead.task_id, asked.value, asked.settings)
        if lead.removed is not None:
            self.app.push_screen(DocumentsScreen(store, scope, lead.removed, lead.beside))
        else:
            self.app.push_screen(ResultsScreen(store, scope, Browsing(table=lead.table)))

    def action_first(self) -> None:
        self._pick(0)

    def action_second(self) -> None:
        self._pick(1)

    def _pick(self, which: int) -> None:
        """Ask for the first or the second side, and read the view of it."""
        view, topic = self._view, self._topic
        sides = () if view is None else (view.ones, view.others)[which]
        if not sides:
            self.explorer.say("there is nothing else to choose from here")
            return

        def choose(key: str | None) -> None:
            if key is not None:
                one, other = self._sides.get(topic, ("", ""))
                self._sides[topic] = (one, key) if which else (key, other)
                self.begin_again(topic)
                self._read(topic, self._reading, self._asked(topic))

        self.app.push_screen(PickDialog("Compare with" if which else "Compare", sides), choose)

    def action_work(self) -> None:
        match TOPICS[self._topic].work:
            case "path":
                search_path(self)
            case "proxies":
                measure_proxies(self)
            case None:
                fill(self, None if self._view is None else self._view.fill)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide actions from the footer that have nothing to act on."""
        view = self._view
        if view is None:
            return action not in {"first", "second", "open", "filter", "sort", "copy", "copy_row", "export", "zoom"}
        if action in {"first", "second"}:
            return bool(view.ones if action == "first" else view.others)
        if action in {"filter", "sort", "copy", "copy_row", "zoom"}:
            return view.listing is not None and not view.is_empty
        if action == "work":
            return view.fill is not None or TOPICS[self._topic].work is not None
        return action not in {"open", "export"} or not view.is_empty
