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
from textual.widgets import Button, Input, RadioButton, RadioSet, Static

from core.errors import CornerstoneError
from store.formats.registry import formats
from store.tables import tables
from tui.drawing.mends import explorer_text
from tui.drawing.numbers import whole
from tui.drawing.plain import plain, plain_lines
from tui.explorer.actions import EXPORT, bindings
from tui.explorer.scope import Scope
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.typing_dialog import TypingDialog
from tui.explorer.widgets.ticks import Option, OptionSet, Tick
from tui.explorer.write_table import CHARTS, FIRST_FORM, Shown, Wanted, Written, ending_of, form_of, write_table

_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (30, "-high")]


@dataclass
class Ended(Message):
    """A worker's result: the written table, None if another file is in the way, or an error."""

    found: Written | str | None


class ExportDialog(TypingDialog[Path | None]):
    """Stays open until it is closed. Its result is the file that was written last, if any."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("export", EXPORT)]
    AUTO_FOCUS = "#path"
    VERTICAL_BREAKPOINTS = _BREAKPOINTS

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
        RadioSet.-tall { layout: vertical; }
        RadioSet:blur > RadioButton.-selected > .toggle--label { background: transparent; }
        RadioSet:focus > RadioButton.-selected > .toggle--label {
            color: $foreground; background: transparent; text-style: bold reverse;
        }
        Tick { margin: 0 0 1 7; }
        #told { min-height: 2; }
        #told.-fault { color: $text-error; }
        #told.-done { color: $text-success; }
        #buttons { height: auto; align-horizontal: right; margin-top: 1; }
        #buttons > Button { margin-left: 2; }
        &.-low > Vertical { padding: 0 2; }
        &.-low .row { margin-bottom: 0; }
        &.-low Tick { margin-bottom: 0; }
    }
    """

    def __init__(
        self, store: Path, scope: Scope, *, table: str, shown: Shown | None = None, result: Shown | None = None
    ) -> None:
        """Prepare the dialog.

        Args:
            store: the file of the store.
            scope: the results to write.
            table: the table that is chosen first.
            shown: its rows as a screen shows them, which are then offered besides all rows.
            result: all rows of a query, in place of the tables of the store.
        """
        super().__init__()
        self._shown = shown
        self._result = result
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
            if self._result is None:
                with Horizontal(classes="row"):
                    yield Static("table")
                    yield _choice("table", {name: table.title for name, table in tables().items()}, self._first)
            if self._shown is not None:
                with Horizontal(classes="row"):
                    yield Static("rows")
                    words = {"shown": f"as shown: {self._shown.words}", "all": "all rows"}
                    yield _choice("rows", words, "shown", labels=words, classes="-tall")
            with Horizontal(classes="row"):
                yield Static("format")
                yield _choice("format", self._forms(), FIRST_FORM)
            if self._scope.narrow:
                yield Tick("only the model and task that the explorer shows", True, id="only", compact=True)
            with Horizontal(classes="row"):
                yield Static("file")
                yield Input(id="path", compact=True)
            yield Static(id="told", markup=False)
            with Horizontal(id="buttons"):
                yield Button("write", id="write", variant="primary", compact=True)
                yield Button("close", id="close", compact=True)

    def on_mount(self) -> None:
        self._fill_in_path()

    def _forms(self) -> dict[str, str]:
        """Return what can be written, with a few words on each: formats, and charts where a table may have one."""
        forms = {one.name: one.summary for one in formats().values()}
        return forms if self._result is not None else {**forms, **CHARTS}

    @on(RadioSet.Changed)
    def _fill_in_path(self) -> None:
        """Name the file after the table and format. If the user has named it, only change its ending."""
        field, form = self.query_one("#path", Input), self._pressed("format")
        path = Path(field.value)
        if field.value == self._given:
            name = self._table if self._rows is None else self._rows.name
            self._given = f"./cornerstone-{name}{ending_of(form)}"
            field.value = self._given
        elif form_of(path) not in {None, form}:
            field.value = field.value.removesuffix(path.suffix) + ending_of(form)
        self._tell(self._what_is_written())

    @on(Input.Changed, "#path")
    def _follow_ending(self, event: Input.Changed) -> None:
        """Choose the format that the file's ending stands for."""
        form = form_of(Path(event.value))
        if form is not None and form in self._forms() and form != self._pressed("format"):
            with self.prevent(RadioSet.Changed):
                self.query_one(f"#format-{form}", RadioButton).value = True
            self._tell(self._what_is_written())

    def _what_is_written(self) -> str:
        if self._pressed("format") in CHARTS:
            return "the chart of all rows of the table is drawn by `cornerstone figure`"
        if self._rows is not None:
            return f"{self._rows.words}: as they stand on the screen" if self._rows is self._shown else ""
        return "every stored row of the table is written, filtered or not"

    @property
    def _table(self) -> str:
        return self._first if self._result is not None else self._pressed("table")

    @property
    def _rows(self) -> Shown | None:
        """The rows to write, if they are not read from the store."""
        as_shown = self._shown is not None and self._pressed("rows") == "shown"
        return self._shown if as_shown and self._table == self._first else self._result

    @on(Input.Submitted)
    @on(Button.Pressed, "#write")
    def action_write(self) -> None:
        if self._asked is not None:
            return
        only = self.query("#only").results(Tick)
        scope = self._scope if any(box.value for box in only) else self._scope.wide
        target, rows = self.query_one("#path", Input).value, self._rows
        ending = form_of(Path(target))
        form = ending if ending in self._forms() else self._pressed("format")
        self._begin(
            Wanted(self._store, self._table, scope, form, target, None if form in CHARTS else rows), force=False
        )

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
                what = "the chart" if rows is None else f"{whole(rows)} {'row' if rows == 1 else 'rows'}"
                said = f"wrote {what} to {path}"
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


def _choice(
    name: str, options: Mapping[str, str], chosen: str, *, labels: Mapping[str, str] | None = None, classes: str = ""
) -> OptionSet:
    """Return a button for each option, with its explanation as a tooltip, or as its label."""
    buttons = [
        Option(Content((labels or {}).get(option, option)), option == chosen, id=f"{name}-{option}", compact=True)
        for option in options
    ]
    for button, words in zip(buttons, options.values(), strict=True):
        button.tooltip = Content(words) if words and labels is None else None
    return OptionSet(*buttons, id=name, compact=True, classes=classes)
