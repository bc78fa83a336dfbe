"""A pane of drawn text, which scrolls where it does not fit."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.message import Message

from tui.explorer.widgets.text_pane import TextPane


class DrawingPane(TextPane):
    """Shows one text. The arrow keys scroll it while it has the focus."""

    HELP = "The drawing of what the cursor is on, or a text. The arrow keys scroll it, tab goes on."

    DEFAULT_CSS = """
    DrawingPane { padding: 0 1; scrollbar-gutter: stable; }
    DrawingPane:focus { background-tint: $foreground 3%; }
    """

    class Resized(Message):
        """The pane has another size, so that another drawing fits."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._drawn = ""

    def on_resize(self, _event: events.Resize) -> None:
        self.post_message(self.Resized())

    @property
    def room(self) -> tuple[int, int]:
        """The columns and lines that a drawing may take without scrolling."""
        width, height = self.scrollable_content_region.size
        return max(width, 20), max(height, 4)

    def show(self, text: str) -> None:
        """Draw a text; what is drawn already stays where it is scrolled to."""
        if text != self._drawn:
            self._drawn = text
            self.draw(Text(text))
