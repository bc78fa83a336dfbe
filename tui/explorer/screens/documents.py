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
from textual.screen import Screen
from textual.widgets import Footer, Static

from core.coalitions.players import Removed, players_of
from core.errors import CornerstoneError
from store.rows import DocumentRow, GroupRow
from tui.drawing.coalition_name import coalition_name
from tui.drawing.mends import explorer_text
from tui.drawing.numbers import NONE, whole
from tui.drawing.plain import plain
from tui.explorer.actions import DOCUMENTS, bindings
from tui.explorer.browser_tables import PATIENCE_S, Scope
from tui.explorer.screens.export import ExportDialog
from tui.explorer.widgets.document_detail import QUIET, RIGHT, WRONG, DocumentDetail
from tui.explorer.widgets.result_table import Cell, ResultTable, TableColumn

if TYPE_CHECKING:
    from store.reading.documents import Documents

_PAGE = 500
_WIDE = 110
_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (_WIDE, "-wide")]
_LONGEST = 60
_LEAST_PROMPT = 16


@dataclass
class DocumentsRead(Message):
    """A worker's result: model, task and a page of documents, or an error. It is stale if a later reading began."""

    reading: int
    found: tuple[GroupRow, Documents] | str


class DocumentsScreen(Screen[None]):
    """A list of documents, and beside it (below it on narrow terminals) the whole document under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("documents", DOCUMENTS)]
    AUTO_FOCUS = "ResultTable"
    TITLE = "Documents"
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS

    DEFAULT_CSS = """
    DocumentsScreen {
        padding: 0 1;
        #heading { height: 1; text-wrap: nowrap; text-overflow: ellipsis; padding: 0 1; margin-bottom: 1; }
        #sentence { height: 1fr; padding: 2 4; color: $text-muted; display: none; }
        #sides { height: 1fr; }
        #count { height: 1; color: $text-muted; padding: 0 1; }
        &.-wide #sides { layout: horizontal; }
        &.-wide DocumentDetail { width: 2fr; border-left: solid $foreground 15%; padding-left: 2; }
        &.-wide ResultTable { width: 3fr; height: 100%; }
        &.-narrow #sides { layout: vertical; }
        &.-narrow DocumentDetail { height: 1fr; border-top: solid $foreground 15%; }
        &.-narrow ResultTable { height: 1fr; }
    }
    """

    def __init__(self, store: Path, scope: Scope, removed: Removed) -> None:
        super().__init__()
        self._store = store
        self._scope = scope
        self._removed = removed
        self._only_changed = False
        self._offset = 0
        self._reading = 0
        self._documents: Documents | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="heading", markup=False)
        with Container(id="sides"):
            yield ResultTable(by_row=True)
            yield DocumentDetail()
        yield Static("reading the store …", id="sentence", markup=False)
        yield Static(id="count", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.action_reload()

    @work(thread=True)
    def _read(self, reading: int, offset: int, only_changed: bool) -> None:
        from store.results import Page, Results

        found: tuple[GroupRow, Documents] | str
        selection, results = self._scope.asked.selection, Results(self._store, PATIENCE_S)
        try:
            read = results.documents(selection, self._removed, self._scope.value, Page(only_changed, _PAGE, offset))
            found = results.groups(selection).rows[0], read
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(DocumentsRead(reading, found))

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
        group, self._documents = message.found
        self.query_one("#heading", Static).update(_heading(group, self._removed, self._documents))
        self.query_one("#count", Static).update(self._count_text(self._documents))
        self._show_list()
        self.refresh_bindings()

    def _show_list(self, at: int = 0) -> None:
        if self._documents is None:
            return
        table = self.query_one(ResultTable)
        width = (self.size.width - 2) * 3 // 5 if self.size.width >= _WIDE else self.size.width - 2
        table.show(*_list_of(self._documents.rows, width - 1), row=at)
        if self.focused is None:
            table.focus()  # it could not have it while it was hidden
        self._show_detail()

    def on_resize(self) -> None:
        self._show_list(self.query_one(ResultTable).cursor_row)

    @on(ResultTable.Moved)
    def _show_detail(self) -> None:
        row = self.query_one(ResultTable).cursor_row
        rows = () if self._documents is None else self._documents.rows
        self.query_one(DocumentDetail).show(rows[row] if 0 <= row < len(rows) else None)

    def action_reload(self) -> None:
        self._reading += 1
        self._read(self._reading, self._offset, self._only_changed)

    def action_only_changed(self) -> None:
        self._only_changed, self._offset = not self._only_changed, 0
        self.action_reload()

    def action_next_page(self) -> None:
        self._offset += _PAGE
        self.action_reload()

    def action_previous_page(self) -> None:
        self._offset = max(0, self._offset - _PAGE)
        self.action_reload()

    def action_export(self) -> None:
        self.app.push_screen(ExportDialog(self._store, self._scope, table="outcomes"))

    def action_back(self) -> None:
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer pages only if there are several."""
        if action == "next_page":
            return self._documents is not None and self._offset + _PAGE < self._matching(self._documents)
        return action != "previous_page" or self._offset > 0

    def _matching(self, documents: Documents) -> int:
        return documents.changed if self._only_changed else documents.total

    def _count_text(self, documents: Documents) -> str:
        matching = self._matching(documents)
        what = "changed document" if self._only_changed else "document"
        said = f"{whole(matching)} {what}{'' if matching == 1 else 's'}"
        if matching <= _PAGE:
            return said
        return f"{said}, showing {whole(self._offset + 1)} to {whole(self._offset + len(documents.rows))}"


def _heading(group: GroupRow, removed: Removed, documents: Documents) -> Text:
    heading = Text()
    players = players_of(group.kinds)
    label = plain(coalition_name(removed, [players[number].label for number in removed]))
    heading.append(f"{label} removed" if removed else "the intact model", "bold")
    if removed:
        heading.append(f"   {whole(documents.changed)} of {whole(documents.total)} answers changed")
    heading.append(f"   {plain(group.model)} · {plain(group.task)}", QUIET)
    return heading


def _list_of(rows: Sequence[DocumentRow], width: int) -> tuple[list[TableColumn], list[list[Cell]]]:
    """Return columns and cells of a list of this ``width``: answers as far as they fit, then the prompt."""
    cells = [_cells(row) for row in rows]
    widest = max((cell_len(_text(cell)) for line in cells for cell in line[2:]), default=0)
    number = max((len(_text(line[1])) for line in cells), default=0)
    columns = [TableColumn(" ", 1), TableColumn("doc", max(number, 3), numeric=True)]
    left = width - sum(column.width + 2 for column in columns)
    answer = max(min(widest, left // 3 - 2), len("intact"))
    columns += [TableColumn(title, answer) for title in ("gold", "intact", "now")]
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
    return " ".join(plain(text[: 4 * _LONGEST]).split())[: _LONGEST + 1]


def _end(text: str, width: int) -> str:
    """Return the end of a prompt, because the question comes after the examples."""
    line = " ".join(plain(text[-4 * width :]).split())
    return line if len(line) <= width and len(text) <= 4 * width else f"…{line[1 - width :]}"
