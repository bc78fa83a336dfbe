"""The dialog for the user's settings. Theme and characters change at once, so that they can be judged."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final, get_args

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from core.errors import CornerstoneError
from core.machine.paths import at_home
from store.file.place import refuse_bad_place
from tui.drawing.plain import plain
from tui.explorer.actions import SETTINGS, bindings
from tui.explorer.widgets.choice import Choice
from tui.settings import Characters, Settings, Theme, changed_settings, settings_path

_THEMES: Final[tuple[Theme, ...]] = get_args(Theme)
_CHARACTERS: Final[tuple[Characters, ...]] = get_args(Characters)
_BELL: Final = ("never", "when a job ends")
_ABOUT: Final = (
    "redraws: how often a second a sweep is drawn, at most\n"
    "store: the file to open without --store, from the next start on; empty for the one in your data folder\n"
    "keys: in {file}, in the form that `cornerstone keys` prints"
)


class SettingsDialog(ModalScreen[Settings | None]):
    """Returns the settings to keep, or None if they stay as they were."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("settings", SETTINGS),
        Binding("down", "app.focus_next", "next line", show=False),
        Binding("up", "app.focus_previous", "line before", show=False),
    ]
    DEFAULT_CSS = """
    SettingsDialog {
        align: center middle;
        #dialog { width: 74; max-width: 100%; height: auto; max-height: 100%; border: round $primary;
                  padding: 1 2; overflow-y: auto; background: $surface; border-title-color: $foreground; }
        .row { height: 1; }
        .name { width: 12; color: $text-muted; }
        Input { width: 1fr; background: $panel; }
        #fault { height: auto; min-height: 1; color: $text-error; }
        #where { margin-top: 1; height: auto; color: $text-muted; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    class Tried(Message):
        """Settings that the user looks at, before keeping them."""

        def __init__(self, settings: Settings) -> None:
            super().__init__()
            self.settings = settings

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._before = settings

    def compose(self) -> ComposeResult:
        before = self._before
        with Vertical(id="dialog") as box:
            box.border_title = "Settings"
            box.border_subtitle = "arrows choose, enter or ctrl+s keeps, esc leaves as it was"
            yield from _row("theme", Choice(_THEMES, _THEMES.index(before.theme), id="theme"))
            yield from _row("characters", Choice(_CHARACTERS, _CHARACTERS.index(before.characters), id="characters"))
            yield from _row("bell", Choice(_BELL, int(before.bell), id="bell"))
            yield from _row("redraws", Input(f"{before.redraws:g}", id="redraws", compact=True))
            yield from _row("store", Input("" if before.store is None else str(before.store), id="store", compact=True))
            yield Static(id="fault", markup=False)
            yield Static(Text(_ABOUT.format(file=plain(_short(settings_path())))), id="where")
            with Horizontal(id="buttons"):
                yield Button("keep", id="keep", variant="primary", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#theme").focus()

    def _asked(self) -> Settings:
        """Return the chosen settings.

        Raises:
            CornerstoneError: a field has no such value.
        """
        store = self.query_one("#store", Input).value.strip()
        return changed_settings(
            self._before,
            theme=_THEMES[self.query_one("#theme", Choice).chosen],
            characters=_CHARACTERS[self.query_one("#characters", Choice).chosen],
            bell=self.query_one("#bell", Choice).chosen == 1,
            redraws=self.query_one("#redraws", Input).value.strip(),
            store=store or None,
        )

    @on(Choice.Changed)
    @on(Input.Changed)
    def _show(self) -> None:
        fault = self.query_one("#fault", Static)
        try:
            asked = self._asked()
        except CornerstoneError as error:
            fault.update(Text(plain(str(error))))
            return
        fault.update("")
        self.post_message(self.Tried(asked))

    @on(Input.Submitted)
    @on(Button.Pressed, "#keep")
    def action_start(self) -> None:
        try:
            asked = self._asked()
            if asked.store is not None:
                refuse_bad_place(settings_path().parent / at_home(asked.store))
            self.dismiss(asked)
        except CornerstoneError as error:
            self.query_one("#fault", Static).update(Text(plain(str(error))))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)


def _short(path: Path) -> str:
    """Return a path, from the home folder on where it is in there."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _row(name: str, field: Choice | Input) -> ComposeResult:
    with Horizontal(classes="row"):
        yield Label(name, classes="name")
        yield field
