"""A text that grows; it stays at its end while that is in sight."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from tui.drawing.plain import plain, visible
from tui.drawing.voices import token_text
from tui.explorer.widgets.text_pane import TextPane


class SpokenText(TextPane):
    """Shows what one model says."""

    HELP = "What this model writes. Arrows and page keys scroll."
    DEFAULT_CSS = """
    SpokenText {
        border: round $foreground 25%; padding: 0 1;
        border-title-color: $foreground; border-subtitle-color: $foreground 70%;
        &:focus { border: heavy $accent; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._text = ""

    def show(self, title: str, text: str, note: str) -> None:
        """Draw a text.

        Args:
            title: whose it is.
            text: all of it, so far. Where it is white space alone, signs of it are drawn, so that it is seen.
            note: stands below it.
        """
        if str(self.border_title) != plain(title):
            self.border_title = Content(plain(title))
        if str(self.border_subtitle) != plain(note):
            self.border_subtitle = Content(plain(note))
        if text != self._text:
            self._text = text
            self.draw(Text(visible(text).strip("\n") if text.strip() else token_text(text)), follow=True)
