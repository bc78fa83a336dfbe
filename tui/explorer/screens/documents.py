"""The screen of one coalition's documents beside the intact model's: which answers changed, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from core.coalitions.players import Removed, players_of
from core.errors import CornerstoneError
from store.rows import DocumentRow, GroupRow, Selection
from tui.drawing.coalition_name import coalition_name
from tui.drawing.mends import explorer_text
from tui.drawing.numbers import NONE, whole
from tui.drawing.plain import plain, plain_lines, visible
from tui.explorer.actions import DOCUMENTS, bindings
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.clipboard import copy
from tui.explorer.scope import Scope
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.table_screen import TableScreen
from tui.explorer.widgets.document_detail import INTACT_AND_NOW, QUIET, RIGHT, WRONG, DocumentDetail
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.result_table import Cell, ResultTable, TableColumn
from tui.explorer.write_table import Shown

if TYPE_CHECKING:
    from store.reading.documents import Documents

_PAGE = 500
_WIDE = 110
_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (_WIDE, "-wide")]
_LONGEST = 60
_LEAST_PROMPT = 16
_LONGEST_NAME = 14


@dataclass
class DocumentsRead(Message):
    """A worker's result: model, task and a page of documents, or an error. It is stale if a later reading began."""

    reading: int
    found: tuple[GroupRow, str | None, Documents] | str
    text: str = ""


class DocumentsScreen(TableScreen):
    """A list of documents, and beside it (below it on narrow terminals) the whole document under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("documents", DOCUMENTS)]
    TITLE = "Documents"
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS

    DEFAULT_CSS = """
    DocumentsScreen {
        #filter { width: 40; display: none; margin: 0 0 1 0; }
        #filter.-shown { display: block; }
        #heading { height: 1; text-wrap: nowrap; text-overflow: ellipsis; padding: 0 1; margin-bottom: 1; }
        #sentence { display: none; }
        #sides { height: 1fr; }
        &.-wide #sides { layout: horizontal; }
        &.-wide DocumentDetail { width: 2fr; border-left: solid $foreground 15%; padding-left: 2; }
        &.-wide ResultTable { width: 3fr; height: 100%; }
        &.-narrow #sides { layout: vertical; }
        &.-narrow DocumentDetail { height: 1fr; border-top: solid $foreground 15%; }
        &.-narrow ResultTable { height: 1fr; }
    }
    """

    def __init__(self, store: Path, scope: Scope, removed: Removed, beside: str | None = None) -> None:
        """Prepare the screen.

        Args:
            store: the file of the store.
            scope: the model and task.
            removed: the coalition.
            beside: the id of another model, whose documents then stand in place of the intact model's.
        """
        super().__init__()
        self._beside = beside
        self._names = INTACT_AND_NOW
        self._store = store
        self._scope = scope
        self._removed = removed
        self._only_changed = False
        self._offset = 0
        self._reading = 0
        self._documents: Documents | None = None
        self._model_id = scope.model_id

    def body(self) -> ComposeResult:
        yield Static(id="heading", markup=False)
        yield FilterInput(id="filter", hint="/ a text of the document")
        with Container(id="sides"):
            yield ResultTable(by_row=True)
            yield DocumentDetail()
        yield Static("reading the store …", id="sentence", markup=False)
        yield Static(id="count", markup=False)

    def on_mount(self) -> None:
        self.action_reload()

    @work(thread=True)
    def _read(self, reading: int, only_changed: bool, offset: int, text: str) -> None:
        from store.results import Page, Results

        found: tuple[GroupRow, str | None, Documents] | str
        selection, results = self._scope.asked.selection, Results(self._store, PATIENCE_S)
        try:
            page = Page(only_changed, _PAGE, offset, text)
            read = results.documents(selection, self._removed, self._scope.value, page, self._beside)
            group = results.groups(selection).rows[0]
            other = None if self._beside is None else results.groups(Selection(model=self._beside)).rows[0].model
            found = group, other, read
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(DocumentsRead(reading, found, text))

    @on(DocumentsRead)
    def _take(self, message: DocumentsRead) -> None:
        if message.reading != self._reading:
            return
        sentence, sides = self.query_one("#sentence", Static), self.query_one("#sides")
        sides.display = not isinstance(message.found, str)
        sentence.display = not sides.display
        if isinstance(message.found, str):
            sentence.update(message.found)
            return
        here = self._row
        group, other, self._documents = message.found
        self._model_id = group.model_id
        self._names = INTACT_AND_NOW if other is None else (_short(other), _short(group.model))
        self.query_one("#heading", Static).update(_heading(group, self._removed, self._documents, other))
        self.query_one("#count", Static).update(self._count_text(self._documents, message.text))
        rows = self._documents.rows
        self._show_list(next((at for at, row in enumerate(rows) if here and row.doc_id == here.doc_id), 0))
        self.refresh_bindings()

    def _show_list(self, at: int = 0) -> None:
        if self._documents is None:
            return
        table = self.query_one(ResultTable)
        width = (self.size.width - 2) * 3 // 5 if self.size.width >= _WIDE else self.size.width - 2
        table.show(*_list_of(self._documents.rows, width - 1, self._names), row=at)
        if self.focused is None:
            table.focus()  # it could not have it while it was hidden
        self._show_detail()

    def on_resize(self) -> None:
        self._show_list(self.query_one(ResultTable).cursor_row)

    @on(ResultTable.Moved)
    def _show_detail(self) -> None:
        self.query_one(DocumentDetail).show(self._row, self._names, self._wanted)

    def action_reload(self) -> None:
        self._reading += 1
        self._read(self._reading, self._only_changed, self._offset, self._wanted)

    @property
    def _wanted(self) -> str:
        """The text that documents are to contain."""
        return self.query_one(FilterInput).value.strip()

    def look_again(self) -> None:
        self.action_reload()

    def action_filter(self) -> None:
        self.query_one(FilterInput).add_class("-shown")
        super().action_filter()

    def redraw(self) -> None:
        """Read the documents that pass the filter."""
        self._offset = 0
        self.action_reload()

    def to_rows(self) -> None:
        self.query_one(FilterInput).set_class(bool(self._wanted), "-shown")
        super().to_rows()

    def action_copy(self) -> None:
        row = self._row
        if row is not None:
            copy(self.app, plain_lines(row.prompt), "prompt")

    def action_copy_row(self) -> None:
        row = self._row
        if row is not None:
            _, doc_id, *answers = map(_text, _cells(row))
            copy(self.app, "\t".join([doc_id, *answers, plain(row.prompt)]), "row")

    @property
    def _row(self) -> DocumentRow | None:
        """The document under the cursor."""
        row = self.query_one(ResultTable).cursor_row
        rows = () if self._documents is None else self._documents.rows
        return rows[row] if 0 <= row < len(rows) else None

    def action_only_changed(self) -> None:
        self._only_changed, self._offset = not self._only_changed, 0
        self.action_reload()

    def action_next_page(self) -> None:
        self._offset += _PAGE
        self.action_reload()

    def action_previous_page(self) -> None:
        self._offset = max(0, self._offset - _PAGE)
        self.action_reload()

    def action_next_match(self) -> None:
        self.query_one(DocumentDetail).action_next_match()

    def action_previous_match(self) -> None:
        self.query_one(DocumentDetail).action_previous_match()

    def action_say(self) -> None:
        from tui.explorer.screens.say import Given, SayScreen

        if (document := self._row) is not None:
            self.app.push_screen(SayScreen(Given(document.prompt, self._model_id, self._removed)))

    def action_export(self) -> None:
        shown, documents = None, self._documents
        if documents is not None and documents.rows and self.query_one("#sides").display:
            words = self._count_text(documents, self._wanted)
            shown = Shown("documents", DocumentRow, tuple(documents.rows), words)
        self.app.push_screen(ExportDialog(self._store, self._scope, table="outcomes", shown=shown))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer pages only if there are several, and to go on only where something was found."""
        if action in {"next_match", "previous_match"}:
            return any(detail.found[1] for detail in self.query(DocumentDetail))
        if action == "next_page":
            return self._documents is not None and self._offset + _PAGE < self._matching(self._documents)
        return action != "previous_page" or self._offset > 0

    def _matching(self, documents: Documents) -> int:
        return documents.changed if self._only_changed else documents.total

    def _count_text(self, documents: Documents, text: str) -> str:
        matching = self._matching(documents)
        what = "changed document" if self._only_changed else "document"
        said = f"{whole(matching)} {what}{'' if matching == 1 else 's'}"
        if text:
            said += f" with {plain(text)!r}"
        if matching <= _PAGE:
            return said
        return f"{said}, showing {whole(self._offset + 1)} to {whole(self._offset + len(documents.rows))}"


def _heading(group: GroupRow, removed: Removed, documents: Documents, other: str | None) -> Text:
    heading = Text()
    if other is not None:
        heading.append(f"{plain(group.model)} beside {plain(other)}", "bold")
        heading.append(f"   {whole(documents.changed)} of {whole(documents.total)} answers differ")
        heading.append(f"   {plain(group.task)}", QUIET)
        return heading
    players = players_of(group.kinds)
    label = plain(coalition_name(removed, [players[number].label for number in removed]))
    heading.append(f"{label} removed" if removed else "the intact model", "bold")
    if removed:
        heading.append(f"   {whole(documents.changed)} of {whole(documents.total)} answers changed")
    heading.append(f"   {plain(group.model)} · {plain(group.task)}", QUIET)
    return heading


def _short(name: str) -> str:
    """Return the end of a model's name, where checkpoints differ."""
    text = plain(name)
    return text if len(text) <= _LONGEST_NAME else f"…{text[1 - _LONGEST_NAME :]}"


def _list_of(
    rows: Sequence[DocumentRow], width: int, names: tuple[str, str]
) -> tuple[list[TableColumn], list[list[Cell]]]:
    """Return columns and cells of a list of this ``width``: answers as far as they fit, then the prompt."""
    cells = [_cells(row) for row in rows]
    widest = max((cell_len(_text(cell)) for line in cells for cell in line[2:]), default=0)
    number = max((len(_text(line[1])) for line in cells), default=0)
    columns = [TableColumn(" ", 1), TableColumn("doc", max(number, 3), numeric=True)]
    left = width - sum(column.width + 2 for column in columns)
    answer = max(min(widest, left // 3 - 2), *map(len, names))
    columns += [TableColumn(title, answer) for title in ("gold", *names)]
    prompt = min(left - 3 * (answer + 2) - 2, _LONGEST)
    if prompt >= _LEAST_PROMPT:
        columns.append(TableColumn("prompt", prompt))
        for line, row in zip(cells, rows, strict=True):
            line.append(Segment(_end(row.prompt, prompt), QUIET))
    return columns, cells


def _cells(row: DocumentRow) -> list[Cell]:
    gold = [row.choices[at] for at in row.gold if at < len(row.choices)]
    return ["≠" if row.changed else " ", str(row.doc_id), _line(" / ".join(gold)) or NONE, *_answers(row)]


def _answers(row: DocumentRow) -> tuple[Segment, Segment]:
    """Return the answers of the intact model and of the coalition."""
    if row.written is not None:
        return _text_written(row.written_intact, row.score_intact), _text_written(row.written, row.score)
    return _answer(row, row.pick_intact, row.acc_intact), _answer(row, row.pick, row.acc)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def _text_written(text: str | None, score: float | None) -> Segment:
    """Return the text that the model wrote, coloured as right or wrong."""
    return Segment(NONE if text is None else _line(text), _style(score))


def _style(score: float | None) -> Style:
    return QUIET if score is None else {1.0: RIGHT, 0.0: WRONG}.get(score, Style.null())


def _answer(row: DocumentRow, pick: int | None, acc: float | None) -> Segment:
    """Return the picked choice, or the score of a single continuation, coloured as right or wrong."""
    style = _style(acc)
    if pick is not None and pick < len(row.choices):
        return Segment(_line(row.choices[pick]), style)
    return Segment(NONE if acc is None else {1.0: "right", 0.0: "wrong"}.get(acc, f"{acc:.3f}"), style)


def _line(text: str) -> str:
    """Return the beginning of a text in one line."""
    return " ".join(visible(text[: 4 * _LONGEST]).split())[: _LONGEST + 1]


def _end(text: str, width: int) -> str:
    """Return the end of a prompt, because the question comes after the examples."""
    line = " ".join(visible(text[-4 * width :]).split())
    return line if len(line) <= width and len(text) <= 4 * width else f"…{line[1 - width :]}"
