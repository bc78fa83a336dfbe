"""A field and a list below it: what is typed narrows the list, and the keys of the list work while one types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from tui.drawing import colours
from tui.drawing.fitting import middle
from tui.drawing.numbers import whole
from tui.drawing.plain import plain
from tui.explorer.widgets.choice_list import ChoiceList

MOST_ROWS: Final = 200
"""So many rows are listed. Nobody reads more, and each takes time at every key."""

_NARROWEST: Final = 20
_GAP: Final = "  "
_SHARE: Final = 0.5
"""The part of the width that names may take."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list.

    ``key`` names it, ``name`` and ``about`` are shown. ``mark`` stands before the name. A ``quiet`` row is one that
    cannot be chosen.
    """

    key: str
    name: str
    about: str = ""
    mark: str = ""
    quiet: bool = False


class _Field(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('cursor_down')", "next row", show=False),
        Binding("up", "move('cursor_up')", "row before", show=False),
        Binding("pagedown", "move('page_down')", "next rows", show=False),
        Binding("pageup", "move('page_up')", "rows before", show=False),
    ]

    class Moved(Message):
        """A key of the list was pressed."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def action_move(self, action: str) -> None:
        self.post_message(self.Moved(action))


class _List(ChoiceList):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "select", "choose", show=False)]


class _Told(Message):
    """Something has happened in a picker."""

    def __init__(self, picker: Picker) -> None:
        super().__init__()
        self.picker = picker

    @property
    def control(self) -> Picker:
        return self.picker


class Picker(Vertical):
    """A field ``#<name>``, a line ``#<name>-said`` and a list ``#<name>-list``."""

    DEFAULT_CSS = """
    Picker {
        height: 1fr;
        .field { height: 1; }
        .field Label { width: 8; text-style: bold; }
        .field Input { width: 1fr; background: $panel; }
        .said { height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        .fault { color: $text-error; height: auto; max-height: 3; text-wrap: wrap; }
        ChoiceList { height: 1fr; text-wrap: nowrap; }
        ChoiceList > .option-list--option-highlighted { text-style: none; }
        &:focus-within ChoiceList > .option-list--option-highlighted { text-style: reverse; }
    }
    """

    class Changed(_Told):
        """Another text was written into the field."""

    class Submitted(_Told):
        """Enter was pressed in the field."""

    class Moved(_Told):
        """Another row is highlighted."""

    class Taken(_Told):
        """A row was chosen in the list, with a key or the mouse."""

        def __init__(self, picker: Picker, key: str) -> None:
            super().__init__(picker)
            self.key = key

    def __init__(self, label: str, text: str, hint: str, *, name: str) -> None:
        """Make a picker.

        Args:
            label: stands before the field.
            text: what is written in the field at first.
            hint: stands in an empty field.
            name: names the parts.
        """
        super().__init__(id=f"{name}-picker")
        self._label = label
        self._field = _Field(text, hint, id=name, compact=True)
        self._said = Static(id=f"{name}-said", classes="said", markup=False)
        self._options = _List(id=f"{name}-list", compact=True)
        self._rows: tuple[Row, ...] = ()
        self.more = 0
        """How many rows there are beside those that are shown."""
        self.moved = False
        """Whether the highlighted row was chosen with the arrow keys since the text was last changed."""

    def compose(self) -> ComposeResult:
        yield Horizontal(Label(self._label), self._field, classes="field")
        yield self._said
        yield self._options

    @property
    def text(self) -> str:
        """The text in the field."""
        return self._field.value.strip()

    def write(self, text: str) -> None:
        """Write a text into the field."""
        self._field.value = text
        self._field.cursor_position = len(text)

    def show(self, rows: Sequence[Row], *, best: bool) -> None:
        """List rows.

        Args:
            rows: the rows.
            best: highlight the first. Otherwise only a row that the arrow keys have gone to stays highlighted.
        """
        before = self.row if self.moved and not best else None
        self._rows = tuple(rows[:MOST_ROWS])
        self.moved = self.moved and not best
        self._draw()
        keys = [row.key for row in self._rows]
        if best and keys:
            self._options.highlighted = 0
            self._options.scroll_home(animate=False)
        elif before is not None and before.key in keys:
            self._options.highlighted = keys.index(before.key)

    @property
    def row(self) -> Row | None:
        """The highlighted row."""
        number = self._options.highlighted
        return self._rows[number] if number is not None and number < len(self._rows) else None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are listed."""
        return self._rows

    def say(self, text: str, *, fault: bool = False) -> None:
        """Show a sentence below the field."""
        self._said.set_class(fault, "fault")
        self._said.update(plain(text))

    def on_resize(self, _event: events.Resize) -> None:
        if self._rows:
            self.show(self._rows, best=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Highlight a row when the list gets the focus. That alone chooses nothing."""
        if event.widget is self._options and self.row is None and self._rows:
            keys = [row.key for row in self._rows]
            with self._options.prevent(OptionList.OptionHighlighted):
                self._options.highlighted = keys.index(self.text) if self.text in keys else 0

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.moved = False
        self.post_message(self.Changed(self))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self))

    @on(_Field.Moved)
    def _move(self, event: _Field.Moved) -> None:
        event.stop()
        self.moved = True
        if self._options.highlighted is None and self._rows:
            self._options.action_first()
        else:
            getattr(self._options, f"action_{event.action}")()
        self.post_message(self.Moved(self))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._options.has_focus:
            self.moved = True
            self.post_message(self.Moved(self))

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if (row := self.row) is not None:
            self.moved = True
            self.post_message(self.Taken(self, row.key))

    def _draw(self) -> None:
        width = max(self._options.region.width - 1, _NARROWEST)  # there may be a bar to scroll with
        marks = max((len(row.mark) for row in self._rows), default=0)
        # Only names with something after them are in a column.
        longest = max((cell_len(plain(row.name)) for row in self._rows if row.about), default=0)
        names = min(longest, int(width * _SHARE))
        options = [Option(_line(row, marks, names, width)) for row in self._rows]
        if self.more:
            options.append(
                Option(Content.styled(f"{whole(self.more)} more: type to find one", colours.QUIET), disabled=True)
            )
        self._options.clear_options()
        self._options.add_options(options)


def _line(row: Row, marks: int, names: int, width: int) -> Content:
    names = names if row.about else width - marks
    name = middle(plain(row.name), names)
    parts: list[str | tuple[str, Style]] = [row.mark.ljust(marks)]
    parts.append((name, colours.QUIET) if row.quiet else name)
    if row.about:
        parts.append(" " * (names - cell_len(name)))
        parts.append((f"{_GAP}{plain(row.about)}", colours.QUIET))
    return Content.assemble(*parts).truncate(width, ellipsis=True)
