"""The help screen: the keys of the screen in front, and the purpose of the focused widget."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static


class HelpScreen(ModalScreen[None]):
    """Explains another screen by its bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss", "close")]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        #help { width: 76; max-width: 95%; height: auto; max-height: 90%; border: round $primary;
                padding: 0 1; background: $surface; }
    }
    """

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        focused = about.focused
        self._widget = "" if focused is None else str(getattr(focused, "HELP", None) or "")
        self._keys = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
        seen = set()
        for active in about.active_bindings.values():
            binding = active.binding
            if binding.id and binding.tooltip and binding.action not in seen:  # ours have ids, Textual's own do not
                seen.add(binding.action)
                self._keys.add_row(Text(about.app.get_key_display(binding), "bold"), Text(binding.tooltip))

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            if self._widget:
                yield Static(Text(self._widget.strip() + "\n"))
            yield Static(self._keys)

    async def action_dismiss(self, result: None = None) -> None:
        self.dismiss(result)
