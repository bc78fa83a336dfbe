"""The help screen: the keys of the screen in front, and what its widgets draw, the focused one first."""

from __future__ import annotations

from collections.abc import Iterator
from re import sub
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from tui.explorer.screens.find_text import FindDialog
from tui.explorer.widgets.text_pane import TextPane


class HelpScreen(ModalScreen[None]):
    """Explains another screen by its bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,question_mark,q,enter", "dismiss", "close")]
    AUTO_FOCUS = "TextPane"
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        #help { width: 76; max-width: 95%; height: auto; max-height: 90%; border: round $primary;
                padding: 0 1; background: $surface; }
    }
    """

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        first, *others = [*_legends(about), Text()]
        self._text = Group(first, _keys(about), Text(), *others)

    def compose(self) -> ComposeResult:
        pane = TextPane(id="help")
        pane.border_title = "Keys"
        pane.border_subtitle = "/ finds, esc closes"
        yield pane

    def on_mount(self) -> None:
        self.query_one(TextPane).draw(self._text)

    @on(TextPane.Sought)
    def _seek(self, message: TextPane.Sought) -> None:
        self.app.push_screen(FindDialog(message.pane))

    async def action_dismiss(self, result: None = None) -> None:
        self.dismiss(result)


def _keys(about: Screen[object]) -> Table:
    """Return the keys of a screen with what each does."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    seen = set()
    for active in about.active_bindings.values():
        binding = active.binding
        if binding.id and binding.tooltip and binding.action not in seen:  # ours have ids, Textual's own do not
            seen.add(binding.action)
            table.add_row(Text(about.app.get_key_display(binding), "bold"), Text(binding.tooltip))
    return table


def _legends(about: Screen[object]) -> Iterator[Text]:
    """Yield what the widgets draw and do, each kind once and the focused one first."""
    seen: set[type[Widget]] = set()
    for widget in (*((about.focused,) if about.focused else ()), *about.query("*")):
        explained = str(getattr(widget, "HELP", None) or "").strip()
        if explained and widget.display and type(widget) not in seen:
            seen.add(type(widget))
            yield Text.assemble((f"{_name(widget)}  ", "bold"), f"{explained}\n")


def _name(widget: Widget) -> str:
    """Return a widget's name in words: a Textual widget of ours is named for what it is."""
    return sub(r"(?<=[a-z])(?=[A-Z])", " ", type(widget).__name__).capitalize()
