"""A table with a cursor that draws only the visible lines. Textual's own takes over 100 ms to paint a large screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

Cell = str | Segment
"""Text without markup, in the table's colour or in its own."""

_GAP = 2
_MORE = "›"
"""Stands at the end of the header while there are more columns."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column that is ``width`` cells wide; numbers are right-aligned."""

    title: str
    width: int
    numeric: bool = False


class ResultTable(ScrollView, can_focus=True):
    """Rows of cells under a fixed header, with a fixed first column. The cursor is a cell or, ``by_row``, a row.

    A double click on a row opens it, as the screen's own key does.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "up", show=False),
        Binding("down,j", "move(1, 0)", "down", show=False),
        Binding("left,h", "move(0, -1)", "left", show=False),
        Binding("right,l", "move(0, 1)", "right", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,ctrl+home,g", "to_end(-1)", "first row", show=False),
        Binding("end,ctrl+end,G", "to_end(1)", "last row", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--picked", "table--row", "table--cursor"}

    DEFAULT_CSS = """
    ResultTable {
        height: 1fr;
        scrollbar-size: 1 1;
        scrollbar-background: $background; scrollbar-color: $foreground 20%; scrollbar-corner-color: $background;
        .table--header { color: $text-muted; }
        .table--picked { color: $foreground; text-style: bold; }
        .table--row { background: $foreground 8%; }
        .table--cursor { background: $foreground 18%; }
        &:focus .table--cursor {
            background: $foreground; color: $block-cursor-background; text-style: reverse;
        }
    }
    """

    @dataclass
    class Moved(Message):
        """The cursor has moved to another row."""

        row: int

    @dataclass
    class ColumnMoved(Message):
        """The cursor has moved to another column."""

        column: int

    @dataclass
    class ColumnPicked(Message):
        """A column's title was clicked."""

        column: int

    class Opened(Message):
        """The row under the cursor was double-clicked."""

    def __init__(self, *, by_row: bool = False) -> None:
        super().__init__()
        self._by_row = by_row
        self._columns: tuple[TableColumn, ...] = ()
        self._rows: Sequence[Sequence[Cell]] = ()
        self.cursor_row = 0
        self.cursor_column = 0

    def show(self, columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]], *, row: int = 0) -> None:
        """Replace the columns and rows; the cursor stays in its column if that still exists.

        Where columns and cursor are the same as before, only the rows that changed are drawn.
        """
        row = max(min(row, len(rows) - 1), 0)
        same = (tuple(columns), len(rows), row) == (self._columns, len(self._rows), self.cursor_row)
        before, self._columns, self._rows = self._rows, tuple(columns), rows
        if same:
            for at, (old, new) in enumerate(zip(before, rows, strict=True)):
                if old != new:
                    self.refresh_line(at + 1)
            return
        self.virtual_size = Size(self._ends[-1] if columns else 0, len(rows) + 1)
        self.cursor_column = max(min(self.cursor_column, len(columns) - 1), 0)
        self.cursor_row = row
        # The new size takes effect with the next layout; scrolling there is only possible after it.
        self.call_after_refresh(self._follow)
        self.refresh()

    def go_to(self, row: int, column: int | None = None) -> None:
        """Move the cursor to a row, and to a column or within its own."""
        self._go(row, self.cursor_column if column is None else column)

    def render_line(self, y: int) -> Strip:
        """Draw the header, or the row that is scrolled to this line."""
        width = self.scrollable_content_region.width
        if not self._columns:
            return Strip.blank(width, self.rich_style)
        at = y - 1 + self.scroll_offset.y
        if y == 0:
            cells = self._header()
        elif at < len(self._rows):
            cells = self._row(at)
        else:
            return Strip.blank(width, self.rich_style)
        line = self._in_view(cells, width)
        base = self.rich_style
        if y > 0 and at == self.cursor_row:
            base = self.get_component_rich_style("table--cursor" if self._by_row else "table--row")
        line = line.crop_extend(0, width, base)
        if y == 0 and self._ends[-1] - 1 > self.scroll_offset.x + width:
            line = Strip.join([line.crop(0, width - 1), Strip([Segment(_MORE, cells[0].style)], 1)])
        return line.apply_style(self.rich_style)

    def action_move(self, rows: int, columns: int) -> None:
        if self._by_row and columns:
            self.scroll_relative(x=columns * 8, animate=False)
            return
        self._go(self.cursor_row + rows, self.cursor_column + columns)

    def action_page(self, pages: int) -> None:
        self._go(self.cursor_row + pages * max(self._height - 1, 1), self.cursor_column)

    def action_to_end(self, direction: int) -> None:
        self._go(0 if direction < 0 else len(self._rows) - 1, self.cursor_column)

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        if where is None or not self._columns:
            return
        x = where.x if where.x < self._ends[0] else where.x + self.scroll_offset.x
        column = next((at for at, end in enumerate(self._ends) if x < end), len(self._columns) - 1)
        row = where.y - 1 + self.scroll_offset.y
        if where.y == 0:
            self.post_message(self.ColumnPicked(column))
        elif row < len(self._rows):
            self._go(row, column)
            if event.chain == 2:
                self.post_message(self.Opened())

    @property
    def _ends(self) -> list[int]:
        """Return the end position of each column."""
        return list(accumulate(column.width + _GAP for column in self._columns))

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height - 1

    def _in_view(self, cells: Sequence[Segment], width: int) -> Strip:
        """Return the first cell, and of the others what is in view. A number that is in view in part is left out."""
        ends = self._ends
        left, right = ends[0] + self.scroll_offset.x, self.scroll_offset.x + width
        parts = [Strip([cells[0]], ends[0])]
        for column, cell, start, end in zip(self._columns[1:], cells[1:], ends, ends[1:], strict=False):
            if end <= left or start >= right:
                continue
            visible = Strip([cell], end - start).crop(max(left - start, 0), min(right, end) - start)
            too_long = end - (end == ends[-1]) > right  # the last of all may go without the space after it
            parts.append(_of_cut(visible, cell, column, at_end=too_long) if start < left or too_long else visible)
        return Strip.join(parts)

    def _header(self) -> list[Segment]:
        plain = self.get_component_rich_style("table--header")
        picked = plain if self._by_row else self.get_component_rich_style("table--picked")
        return [
            Segment(_fitted(column.title, column), picked if at == self.cursor_column else plain)
            for at, column in enumerate(self._columns)
        ]

    def _row(self, at: int) -> list[Segment]:
        under_cursor = at == self.cursor_row
        cursor = self.get_component_rich_style("table--cursor")
        row = Style(bgcolor=self.get_component_rich_style("table--row").bgcolor)
        segments = []
        for number, (column, cell) in enumerate(zip(self._columns, self._rows[at], strict=True)):
            text, own = (cell, Style.null()) if isinstance(cell, str) else (cell.text, cell.style or Style.null())
            style = own
            if under_cursor:
                style = own + (cursor if self._by_row or number == self.cursor_column else row)
            segments.append(Segment(_fitted(text, column), style))
        return segments

    def _go(self, row: int, column: int) -> None:
        before, column_before = self.cursor_row, self.cursor_column
        self.cursor_row = max(min(row, len(self._rows) - 1), 0)
        self.cursor_column = max(min(column, len(self._columns) - 1), 0)
        self._follow()
        self.refresh()
        if self.cursor_row != before:
            self.post_message(self.Moved(self.cursor_row))
        elif self.cursor_column != column_before:
            self.post_message(self.ColumnMoved(self.cursor_column))

    def _follow(self) -> None:
        """Scroll just enough to make the cursor visible."""
        if not self._columns:
            return
        x, y = self.scroll_offset
        y = min(max(y, self.cursor_row - self._height + 1), self.cursor_row)
        if not self._by_row and self.cursor_column:
            first, start, end = self._ends[0], self._ends[self.cursor_column - 1], self._ends[self.cursor_column]
            room = self.scrollable_content_region.width - first
            x = min(max(x, end - first - room), start - first)
        elif not self._by_row:
            x = 0
        self.scroll_to(x, y, animate=False)


def _of_cut(visible: Strip, cell: Segment, column: TableColumn, *, at_end: bool) -> Strip:
    """Return what is drawn of a cell that is in view in part. A part of a number would be another number."""
    width = visible.cell_length
    if column.numeric:
        return Strip([Segment(" " * width, cell.style)], width)
    if at_end and width > 1 and cell_len(cell.text.rstrip()) > width:
        return Strip.join([visible.crop(0, width - 1), Strip([Segment("…", cell.style)], 1)])
    return visible


def _fitted(text: str, column: TableColumn) -> str:
    """Return a space, the text padded or visibly truncated to the column's width, and a space."""
    missing = column.width - cell_len(text)
    if missing < 0:
        return f" {set_cell_size(text, column.width - 1)}… "
    return f" {' ' * missing}{text} " if column.numeric else f" {text}{' ' * missing} "
