"""The dialog that writes a table to a file. It asks before it replaces one, and says where it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, RadioButton, RadioSet, Static

from core.errors import CornerstoneError
from store.formats.registry import format_of, formats
from store.tables import tables
from tui.drawing.mends import explorer_text
from tui.drawing.numbers import whole
from tui.drawing.plain import plain, plain_lines
from tui.explorer.actions import EXPORT, bindings
from tui.explorer.browser_tables import Scope
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.widgets.ticks import Tick
from tui.explorer.write_table import FIRST_FORM, Wanted, Written, write_table


@dataclass
class Ended(Message):
    """A worker's result: the written table, None if another file is in the way, or an error."""

    found: Written | str | None


class ExportDialog(ModalScreen[Path | None]):
    """Stays open until it is closed. Its result is the file that was written last, if any."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("export", EXPORT)]
    AUTO_FOCUS = "#path"

    DEFAULT_CSS = """
    ExportDialog {
        align: center middle;
        & > Vertical {
            width: 78; max-width: 100%; height: auto; max-height: 100%; padding: 1 2; overflow-y: auto;
            background: $surface; border: round $primary; border-title-color: $foreground;
        }
        .row { height: auto; margin-bottom: 1; }
        .row > Static { width: 7; color: $text-muted; }
        RadioSet > RadioButton { width: auto; }
        RadioSet { layout: grid; grid-size: 3; grid-rows: 1; width: 1fr; height: auto; background: transparent; }
        Tick { background: transparent; margin: 0 0 1 7; }
        #told { min-height: 2; }
        #told.-fault { color: $text-error; }
        #told.-done { color: $text-success; }
        #buttons { height: auto; align-horizontal: right; margin-top: 1; }
        #buttons > Button { margin-left: 2; }
    }
    """

    def __init__(self, store: Path, scope: Scope, *, table: str) -> None:
        super().__init__()
        self._store = store
        self._scope = scope
        self._first = table
        self._given = ""  # the path that was last filled in, and may be filled in anew
        self._asked: Wanted | None = None
        self._written: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Export"
            box.border_subtitle = "enter or ctrl+s writes, esc closes"
            with Horizontal(classes="row"):
                yield Static("table")
                yield _choice("table", {name: table.title for name, table in tables().items()}, self._first)
            with Horizontal(classes="row"):
                yield Static("format")
                yield _choice("format", {one.name: one.summary for one in formats().values()}, FIRST_FORM)
            if self._scope.narrow:
                yield Tick("only the model and task that the explorer shows", True, id="only", compact=True)
            with Horizontal(classes="row"):
                yield Static("file")
                yield Input(id="path", compact=True)
            yield Static("every stored row of the table is written, filtered or not", id="told", markup=False)
            with Horizontal(id="buttons"):
                yield Button("write", id="write", variant="primary", compact=True)
                yield Button("close", id="close", compact=True)

    def on_mount(self) -> None:
        self._fill_in_path()

    @on(RadioSet.Changed)
    def _fill_in_path(self) -> None:
        """Name the file after the table and format. If the user has named it, only change its ending."""
        field, form = self.query_one("#path", Input), formats()[self._pressed("format")]
        if field.value == self._given:
            self._given = f"./cornerstone-{self._pressed('table')}{form.endings[0]}"
            field.value = self._given
            return
        path = Path(field.value)
        if format_of(path) not in {None, form}:
            field.value = field.value.removesuffix(path.suffix) + form.endings[0]

    @on(Input.Submitted)
    @on(Button.Pressed, "#write")
    def action_write(self) -> None:
        if self._asked is not None:
            return
        only = self.query("#only").results(Tick)
        scope = self._scope if any(box.value for box in only) else self._scope.wide
        target = self.query_one("#path", Input).value
        wanted = Wanted(self._store, self._pressed("table"), scope, self._pressed("format"), target)
        self._begin(wanted, force=False)

    @on(Button.Pressed, "#close")
    def action_close(self) -> None:
        if self._asked is not None:
            self._tell("still writing; the file appears only when it is whole")
            return
        self.dismiss(self._written)

    def _begin(self, wanted: Wanted, *, force: bool) -> None:
        self._asked = wanted
        self._tell("writing …")
        self._write(wanted, force)

    @work(thread=True)
    def _write(self, wanted: Wanted, force: bool) -> None:
        found: Written | str | None
        try:
            found = write_table(wanted, force=force)
        except CornerstoneError as error:
            found = plain(explorer_text(error))
        self.post_message(Ended(found))

    @on(Ended)
    def _end(self, message: Ended) -> None:
        wanted, self._asked = self._asked, None
        match message.found:
            case Written(path, rows, left_out):
                self._written = path
                said = f"wrote {whole(rows)} {'row' if rows == 1 else 'rows'} to {path}"
                self._tell("\n".join([said, *(f"left out: {gap}" for gap in left_out)]), "-done")
                self.query_one("#close").focus()
            case str(sentence):
                self._tell(sentence, "-fault")
            case None if wanted is not None:
                self._ask(wanted)

    def _ask(self, wanted: Wanted) -> None:
        def answer(yes: bool | None) -> None:
            if yes:
                self._begin(wanted, force=True)
            else:
                self._tell("nothing was written; name another file or close")

        question = f"{Path(wanted.target.strip()).expanduser().absolute()} is there already. Replace it?"
        self.app.push_screen(ConfirmDialog(question, yes="replace", no="keep it"), answer)

    def _pressed(self, name: str) -> str:
        pressed = self.query_one(f"#{name}", RadioSet).pressed_button
        return "" if pressed is None or pressed.id is None else pressed.id.partition("-")[2]

    def _tell(self, text: str, look: str = "") -> None:
        told = self.query_one("#told", Static)
        told.set_classes(look)
        told.update(plain_lines(text))


class _Option(RadioButton):
    """A radio button that shows its choice by a mark too, not only by colour."""

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # noqa: N802 as Textual has it
        return "●" if self.value else "○"


def _choice(name: str, options: Mapping[str, str], chosen: str) -> RadioSet:
    """Return a button for each option, with its explanation as a tooltip."""
    buttons = [_Option(option, option == chosen, id=f"{name}-{option}", compact=True) for option in options]
    for button, words in zip(buttons, options.values(), strict=True):
        button.tooltip = Content(words) if words else None
    return RadioSet(*buttons, id=name, compact=True)
