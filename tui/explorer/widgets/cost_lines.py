"""Sentences on what a run costs, broken into lines so that no number is apart from its unit."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui.drawing.fitting import wrapped
from tui.drawing.plain import plain_lines


class CostLines(Static):
    """A text whose lines follow the width."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._told = ""
        self._width = 0

    def tell(self, text: str) -> None:
        """Show another text."""
        self._told = plain_lines(text)
        self._draw()

    def on_resize(self) -> None:
        if self.content_size.width != self._width:
            self._width = self.content_size.width
            self._draw()

    def _draw(self) -> None:
        lines = self._told.splitlines()
        if self._width:
            lines = [line for told in lines for line in wrapped(told, self._width)]
        self.update(Content("\n".join(lines)))
