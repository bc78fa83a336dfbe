"""A table of text with a cursor, filled in steps that leave time for keys in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

# Textual measures every cell of a row: 500 rows of eight at once are near 100 ms on a busy machine.
_STEP = 100
_PAUSE_S = 0.01


class ResultTable(DataTable[Text], inherit_bindings=False):
    """Shows lines of plain text; a click on a line's cursor, like the screen's own key, opens it."""

    # Enter is the screen's, so that footer and keymap name it.
    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in DataTable.BINDINGS if not (isinstance(binding, Binding) and binding.key == "enter")
    ]

    DEFAULT_CSS = """
    ResultTable {
        height: 1fr;
        background: transparent;
        scrollbar-size: 1 1;
        scrollbar-background: $background; scrollbar-color: $foreground 20%; scrollbar-corner-color: $background;
        & > .datatable--header { background: transparent; color: $text-muted; text-style: none; }
        & > .datatable--header-cursor { background: transparent; color: $foreground; text-style: bold; }
        & > .datatable--fixed { background: transparent; color: $foreground; }
        & > .datatable--odd-row, & > .datatable--even-row { background: transparent; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id, zebra_stripes=False, cell_padding=1)
        self._waiting: list[Sequence[Text]] = []

    def show(self, titles: Sequence[Text], rows: Sequence[Sequence[Text]], *, row: int = 0, column: int = 0) -> None:
        """Replace what is shown, and put the cursor there."""
        self.clear(columns=True)
        for at, title in enumerate(titles):
            # Set and not measured, so that columns stay where they are while further rows come.
            self.add_column(title, width=max(cell_len(text.plain) for text in [title, *(cells[at] for cells in rows)]))
        self._waiting = list(rows)
        self._add_step(max(_STEP, row + 1))
        self.move_cursor(row=row, column=min(column, max(len(titles) - 1, 0)))

    def _add_step(self, size: int = _STEP) -> None:
        step, self._waiting = self._waiting[:size], self._waiting[size:]
        self.add_rows(step)
        if self._waiting:
            self.set_timer(_PAUSE_S, self._add_step)
