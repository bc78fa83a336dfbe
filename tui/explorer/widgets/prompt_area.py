"""The field for a prompt, of one line or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui.drawing.plain import plain


class PromptArea(TextArea):
    """A text field. Above its first line are older prompts, below its last line newer ones."""

    HELP = (
        "Write what both models continue. Up and down walk through the prompts that you said before; ctrl+j begins "
        "a new line."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+j", "new_line", "new line", show=False)]
    DEFAULT_CSS = """
    PromptArea {
        height: auto; max-height: 5; border: none; padding: 0; background: $foreground 5%;
        &:focus { border: none; background: $foreground 10%; }
    }
    """

    @dataclass
    class Walked(Message):
        """The user wants an older prompt, or a newer one."""

        to: Literal["older", "newer"]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(
            id=id,
            compact=True,
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder="what the models continue, or answer; enter says it",
        )
        self.cursor_blink = False

    def get_line(self, line_index: int) -> Text:
        """Return a line as it is drawn, without control characters."""
        line = self.document.get_line(line_index)
        return Text("\t".join(map(plain, line.split("\t"))), end="", no_wrap=True)

    def write(self, text: str) -> None:
        """Replace the text; the cursor goes to its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_cursor_up(self, select: bool = False) -> None:
        if self.cursor_at_first_line and not select:
            self.post_message(self.Walked("older"))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.cursor_at_last_line and not select:
            self.post_message(self.Walked("newer"))
        else:
            super().action_cursor_down(select)
