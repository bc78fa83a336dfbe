"""An app that draws as the user's settings say, and lets them be changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.filter import LineFilter

from core.errors import CornerstoneError
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.job_end import ring
from tui.explorer.key_order import KeysInOrder
from tui.explorer.line_filters import filters_of
from tui.explorer.terminal_kind import only_ascii
from tui.settings import Settings, write_settings

if TYPE_CHECKING:
    from tui.explorer.screens.settings import SettingsDialog


_LEAVE: Final = frozenset({"quit", "app.quit"})


class ObeyingApp(KeysInOrder):
    """An app with settings: theme and characters of all its screens, and whether it rings the bell."""

    # The cursor of a field is seen without colour too. A dialog has its buttons at its end, so messages come on top.
    CSS = """
    Input > .input--cursor, TextArea .text-area--cursor { text-style: underline; }
    ModalScreen ToastRack { dock: top; align: right top; margin: 0; overflow-y: hidden; }
    ModalScreen Toast { width: 100%; max-width: 100%; margin: 0; padding: 0 1; }
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._own_filters = _filters(settings)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters of finished lines, and those of the settings."""
        return [*super().get_line_filters(), *self._own_filters]

    def get_key_display(self, binding: Binding) -> str:
        """Return the name of a key. Textual draws a sign for enter that not every terminal has."""
        return "enter" if binding.key == "enter" else super().get_key_display(binding)

    def action_help_quit(self) -> None:
        """Say which key leaves, for a person who presses ctrl+c: the one of the footer, where it does that."""
        leaving = [active.binding for active in self.active_bindings.values() if active.binding.action in _LEAVE]
        own = [binding for binding in leaving if binding.id == "app.quit"]
        if leaving:
            key = self.get_key_display((own or leaving)[0])
            self.say(f"{key} leaves the explorer; the evaluator goes on with its jobs")

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message that disappears by itself."""
        self.notify(plain(text), severity="error" if error else "information", markup=False)

    def ring(self, text: str) -> None:
        """Ring the terminal's bell for what a text says, if the settings want it."""
        if self.settings.bell:
            ring(self, text)

    def obey(self, settings: Settings) -> None:
        """Follow other settings, and draw all screens again."""
        self.settings, self._own_filters = settings, _filters(settings)
        for screen in self.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.refresh()

    def on_settings_dialog_tried(self, message: SettingsDialog.Tried) -> None:
        """Show what the user looks at in the dialog."""
        self.obey(message.settings)

    def action_settings(self) -> None:
        from tui.explorer.screens.settings import SettingsDialog

        before = self.settings

        def keep(asked: Settings | None) -> None:
            self.obey(before if asked is None else asked)
            if asked is not None and asked != before:
                self._write(asked)

        if not isinstance(self.screen, SettingsDialog):
            self.push_screen(SettingsDialog(before), keep)

    def _write(self, settings: Settings) -> None:
        try:
            self.say(f"kept in {write_settings(settings)}")
        except CornerstoneError as error:
            self.say(explorer_text(error), error=True)


def _filters(settings: Settings) -> list[LineFilter]:
    return filters_of(settings.theme, only_ascii=only_ascii(settings.characters, os.environ))
