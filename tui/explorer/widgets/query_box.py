"""The field of a query in SQL: enter runs it, tab completes a word, up and down go through earlier queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui.drawing.plain import plain_lines
from tui.explorer.sql_completion import completions, word_before


class QueryBox(TextArea):
    """A text of several lines, which grows with it as far as there is room.

    ``HELP`` explains its keys.
    """

    HELP = (
        "Write a query. enter runs it, ctrl+j begins a new line, tab completes a word, and then takes the next that "
        "fits, up and down go through earlier queries, esc or down goes to the rows."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "run", show=False),
        Binding("ctrl+j", "new_line", "new line", show=False),
        Binding("tab", "complete", "complete", show=False),
    ]
    DEFAULT_CSS = """
    QueryBox {
        height: auto; min-height: 3; max-height: 8; padding: 0 1;
        border: round $foreground 25%; background: transparent;
        border-title-color: $text-muted; border-subtitle-color: $text-muted;
        &:focus { border: round $primary; }
    }
    """

    class Left(Message):
        """The user has gone down, past the latest query."""

    class Asked(Message):
        """The query is to be run."""

    @dataclass
    class Offered(Message):
        """Other words may stand where the cursor is."""

        words: tuple[str, ...]
        chosen: int | None

    def __init__(self, past: Sequence[str] = ()) -> None:
        super().__init__(compact=False, show_line_numbers=False, soft_wrap=True, tab_behavior="focus")
        self.cursor_blink = False
        self._past = list(past)
        self._at = len(self._past)
        self._written = ""
        self._offered: tuple[str, ...] = ()
        self._chosen: int | None = None
        self._completing = False

    def remember(self, query: str) -> None:
        """Note that a query was run."""
        self._past = [*(one for one in self._past if one != query), query]
        self._at = len(self._past)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default()  # TextArea would begin a new line

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = plain_lines(event.text)  # the base then inserts it

    def write(self, text: str) -> None:
        """Replace the query; the cursor goes to its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def load_text(self, text: str) -> None:
        """Replace the query."""
        super().load_text(plain_lines(text))

    def action_ask(self) -> None:
        self.post_message(self.Asked())

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not self.navigator.is_first_wrapped_line(self.cursor_location):
            super().action_cursor_up(select)
        else:
            self._go_to(self._at - 1)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not self.navigator.is_last_wrapped_line(self.cursor_location):
            super().action_cursor_down(select)
        elif self._at < len(self._past):
            self._go_to(self._at + 1)
        else:
            self.post_message(self.Left())

    def action_complete(self) -> None:
        """Put the first word that fits in place of the one before the cursor; once more, the next that fits."""
        if not self._offered:
            return
        words = self._offered
        begun = words[self._chosen] if self._chosen is not None else word_before(self._before)
        chosen = 0 if self._chosen is None else (self._chosen + 1) % len(words)
        row, column = self.cursor_location
        self._completing = True
        self.replace(words[chosen], (row, column - len(begun)), (row, column))
        self._chosen = chosen
        self.post_message(self.Offered(words, chosen))

    def on_text_area_changed(self) -> None:
        if self._completing:
            self._completing = False
            return
        self._offer()

    def on_text_area_selection_changed(self) -> None:
        if self._chosen is None or word_before(self._before) != self._offered[self._chosen].rpartition(" ")[2]:
            self._offer()

    @property
    def _before(self) -> str:
        """The text as far as the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)

    def _offer(self) -> None:
        before = self._before
        words = completions(before, self.text[len(before) :])
        if (words, self._chosen) != (self._offered, None):
            self._offered, self._chosen = words, None
            self.post_message(self.Offered(words, None))

    def _go_to(self, place: int) -> None:
        """Show an earlier query; after the latest one comes what was being written."""
        if not 0 <= place <= len(self._past) or place == self._at:
            return
        if self._at == len(self._past):
            self._written = self.text
        self._at = place
        text = self._written if place == len(self._past) else self._past[place]
        self.write(text)
