"""The likeliest tokens after a prompt, with bars of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content
from textual.widget import Widget

from core.say.said import TOP
from tui.drawing import colours
from tui.drawing.voices import top_lines


class NextTokens(Widget):
    """Shows the candidates of one model."""

    DEFAULT_CSS = f"""
    NextTokens {{
        height: {TOP + 2}; border: round $foreground 25%; padding: 0 1; border-title-color: $foreground 70%;
    }}
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id)
        self._top: tuple[tuple[str, float], ...] = ()
        self.border_title = Content("next token")

    def show(self, top: Sequence[tuple[str, float]]) -> None:
        """Draw tokens and probabilities, if they changed."""
        if tuple(top) != self._top:
            self._top = tuple(top)
            self.refresh()

    def render(self) -> Text:
        return Text("\n").join(top_lines(self._top, self.content_size.width, colours.INTACT.hex))
