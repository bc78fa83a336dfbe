"""Rows and what is drawn of the one under the cursor: beside them, or below them on a narrow terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container

from tui.drawing.plain import plain_lines
from tui.explorer.widgets.drawing_pane import DrawingPane
from tui.explorer.widgets.result_table import ResultTable

_WIDE: Final = 122
_TWO: Final = 172
_ZOOMS: Final = ("both", "drawing", "rows")

Drawing = Callable[[int, int], str]
"""Draws text in so many columns and lines."""


class RowsAndDrawings(Container):
    """A table, a drawing, and a second drawing where the terminal has room for it.

    Args:
        zoom: what is shown, as ``zoom`` was before: both, the drawing alone, or the rows alone.
    """

    DEFAULT_CSS = """
    RowsAndDrawings {
        height: 1fr; layout: vertical;
        ResultTable { height: auto; max-height: 40%; width: 1fr; }
        DrawingPane { height: 1fr; width: 1fr; }
        #drawing { border-top: solid $foreground 15%; }
        &.-wide { layout: horizontal; }
        &.-wide DrawingPane { height: 100%; border-top: none; border-left: solid $foreground 15%; }
        &.-wide ResultTable, &.-rows ResultTable { height: 100%; max-height: 100%; }
        &.-text #drawing { border-left: none; border-top: none; }
        #more { display: none; }
    }
    """

    def __init__(self, zoom: int = 0) -> None:
        super().__init__()
        self.zoom = zoom % len(_ZOOMS)
        self._is_text = self._has_two = False

    def compose(self) -> ComposeResult:
        yield ResultTable()
        yield DrawingPane(id="drawing")
        yield DrawingPane(id="more")

    def lay_out(self, *, is_text: bool, has_two: bool) -> None:
        """Give rows and drawings their places.

        Args:
            is_text: there are no rows, and the drawing is all.
            has_two: there is a second drawing.
        """
        self._is_text, self._has_two = is_text, has_two
        self._place()

    def on_resize(self) -> None:
        self._place()

    def zoom_on(self) -> None:
        """Show both, the drawing alone, or the rows alone."""
        self.zoom = (self.zoom + 1) % len(_ZOOMS)
        self._place()
        self.focus_one()

    def focus_one(self) -> None:
        """Give the focus to the rows, or to the drawing where there are none."""
        drawing = self._is_text or _ZOOMS[self.zoom] == "drawing"
        (self.query_one("#drawing") if drawing else self.query_one(ResultTable)).focus()

    def draw(self, draw: Drawing, more: Drawing | None) -> None:
        """Draw one text, or two below each other where the second has no place of its own."""
        pane, second = self.query_one("#drawing", DrawingPane), self.query_one("#more", DrawingPane)
        if not pane.size:
            return  # a pane without a place gets one soon, and then draws
        text = draw(*pane.room)
        if more is not None and second.display:
            second.show(plain_lines(more(*second.room)))
        elif more is not None:
            text = f"{text}\n{more(*pane.room)}"
        pane.show(plain_lines(text))

    def _place(self) -> None:
        width, zoom = self.app.size.width, _ZOOMS[self.zoom]
        self.set_class(self._is_text, "-text")
        self.set_class(width >= _WIDE, "-wide")
        self.set_class(zoom == "rows", "-rows")
        self.query_one(ResultTable).display = not self._is_text and zoom != "drawing"
        self.query_one("#drawing").display = self._is_text or zoom != "rows"
        self.query_one("#more").display = self._has_two and width >= _TWO
