"""Some documents of what is removed: the right answer, the intact model's, and the one that is given now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from tui.drawing import colours
from tui.drawing.fitting import CORNERS, fitting
from tui.drawing.numbers import NONE, whole
from tui.drawing.plain import visible

if TYPE_CHECKING:
    from store.reading.documents import Documents
    from store.rows import DocumentRow

_LONGEST: Final = 200
_ANSWER: Final = 16
_LEAST_PROMPT: Final = 12
_RIGHT, _WRONG = Style(foreground=colours.INTACT), Style(foreground=colours.WRONG)

Cell = tuple[str, Style]


class DocumentsPanel(Widget):
    """As many documents as there are lines, those whose answer changed first. Enter shows all."""

    HELP = "Documents of what is removed, those whose answer changed first. enter shows all of them, whole."

    DEFAULT_CSS = """
    DocumentsPanel {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 70%;
        padding: 0 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._documents: Documents | None = None
        self._intact = True
        self._label()

    def show(self, documents: Documents | None, *, intact: bool) -> None:
        """Draw documents, if they changed; ``intact`` says that no layer is removed."""
        if (documents, intact) == (self._documents, self._intact):
            return
        self._documents, self._intact = documents, intact
        self._label()
        self.refresh()

    def on_resize(self) -> None:
        self._label()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 + (len(self._documents.rows) if self._documents else 0)

    def render(self) -> Content:
        width, height = self.content_size
        if self._documents is None or not self._documents.rows:
            return Content.styled("the documents of what is removed will be here", colours.QUIET)
        rows = self._documents.rows[: max(height - 1, 0)]
        titles = ["gold", "intact"] if self._intact else ["gold", "intact", "now"]
        lines = [_cells(row, intact=self._intact) for row in rows]
        widths = [
            min(max(len(title), *(len(line[at][0]) for line in lines)), _ANSWER) for at, title in enumerate(titles)
        ]
        head = _line([(title, colours.QUIET) for title in titles], widths)
        drawn = [Content.assemble("  ", head)]
        for row, cells in zip(rows, lines, strict=True):
            mark = ("≠ " if row.changed and not self._intact else "  ", colours.WARN)
            line = Content.assemble(mark, _line(cells, widths))
            room = width - line.cell_length
            if room >= _LEAST_PROMPT:
                line = Content.assemble(line, (_end(row.prompt, room), colours.QUIET))
            drawn.append(line)
        return Content("\n").join(drawn)

    def _label(self) -> None:
        room = self.outer_size.width - CORNERS
        found = self._documents
        if found is None:
            self.border_title, self.border_subtitle = Content("Documents"), None
            return
        said = f"Documents: {whole(found.total)}"
        if not self._intact:
            said = f"Documents: {whole(found.changed)} of {whole(found.total)} answers changed"
        self.border_title = fitting(room, said)
        self.border_subtitle = fitting(room, "enter shows all")


def _cells(row: DocumentRow, *, intact: bool) -> Sequence[Cell]:
    gold = [row.choices[at] for at in row.gold if at < len(row.choices)]
    cells = [(_short(" / ".join(gold)) or NONE, Style())]
    if row.written is not None:
        cells.append(_written(row.written_intact, row.score_intact))
        now = _written(row.written, row.score)
    else:
        cells.append(_answer(row, row.pick_intact, row.acc_intact))
        now = _answer(row, row.pick, row.acc)
    return cells if intact else [*cells, now]


def _answer(row: DocumentRow, pick: int | None, acc: float | None) -> Cell:
    if pick is not None and pick < len(row.choices):
        return _short(row.choices[pick]), _verdict(acc)
    return NONE if acc is None else {1.0: "right", 0.0: "wrong"}.get(acc, f"{acc:.3f}"), _verdict(acc)


def _written(text: str | None, score: float | None) -> Cell:
    return NONE if text is None else _short(text), _verdict(score)


def _verdict(score: float | None) -> Style:
    return colours.QUIET if score is None else {1.0: _RIGHT, 0.0: _WRONG}.get(score, Style())


def _line(cells: Sequence[Cell], widths: Sequence[int]) -> Content:
    parts = []
    for (text, style), width in zip(cells, widths, strict=True):
        cut = Content(text).truncate(width, ellipsis=True)
        parts.append(Content.assemble((cut.plain, style), " " * (width - cut.cell_length + 2)))
    return Content.assemble(*parts)


def _short(text: str) -> str:
    return " ".join(visible(text[:_LONGEST]).split())


def _end(text: str, width: int) -> str:
    """Return the end of a prompt, because the question comes after the examples."""
    line = " ".join(visible(text[-4 * width :]).split())
    return line if len(line) <= width and len(text) <= 4 * width else f"…{line[1 - width :]}"
