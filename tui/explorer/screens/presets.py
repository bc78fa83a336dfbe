"""The list of sets of layers that one often removes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from core.coalitions.players import Player, Removed, format_removed
from core.errors import CornerstoneError
from core.machine.paths import at_home
from core.removal_path.mask_file import read
from tui.drawing import colours
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import PRESETS, bindings
from tui.explorer.presets import Grid, presets_of
from tui.explorer.widgets.choice_list import ChoiceList
from tui.explorer.widgets.key_footer import KeyFooter

_LONGEST: Final = 3
_MASK: Final = "mask"


class PresetsDialog(ModalScreen[Removed | None]):
    """Its result is the set to remove; None if the user changes nothing. Digits set how many layers are meant."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("presets", PRESETS)]
    AUTO_FOCUS = "OptionList"

    DEFAULT_CSS = """
    PresetsDialog {
        align: center middle;
        & > Vertical {
            width: 78; max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
            background: $surface; border: round $primary;
        }
        ChoiceList { height: auto; }
        Input { display: none; }
        #said { height: auto; color: $text-error; display: none; }
    }
    """

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self._grid = grid
        self._number = ""

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Remove a set of layers"
            yield ChoiceList(markup=False)
            yield Input(placeholder="the file of a mask, as cornerstone path writes it", compact=True, id="file")
            yield Static(id="said", markup=False)
            yield KeyFooter()

    def on_mount(self) -> None:
        self._list()

    def on_key(self, event: events.Key) -> None:
        """Take the digits of a number, and backspace."""
        if self.query_one("#file", Input).has_focus:
            return
        if event.key == "backspace":
            self._number = self._number[:-1]
        elif event.character is not None and event.character.isdecimal() and event.character.isascii():
            self._number = (self._number + event.character).lstrip("0")[:_LONGEST]
        else:
            return
        event.stop()
        self._list()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        if event.option_id == _MASK:
            field = self.query_one("#file", Input)
            field.display = True
            field.focus()
        else:
            self.dismiss(presets_of(self._grid, self._count)[event.option_index].removed)

    @on(Input.Submitted)
    def _read(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(_of_mask(event.value.strip(), self._grid.players))
        except CornerstoneError as error:
            said = self.query_one("#said", Static)
            said.update(plain(explorer_text(error)))
            said.display = True

    def action_cancel(self) -> None:
        self.dismiss(None)

    @property
    def _count(self) -> int:
        return int(self._number or "1")

    def _list(self) -> None:
        """List the presets anew, with the cursor where it was."""
        options = self.query_one(OptionList)
        at = options.highlighted or 0
        presets = presets_of(self._grid, self._count)
        lines = [
            Option(
                Content.assemble(f"{plain(preset.title)}  ", (plain(preset.detail), colours.QUIET)),
                disabled=preset.removed is None,
            )
            for preset in presets
        ]
        options.set_options([*lines, Option("what a mask file removes …", id=_MASK)])
        options.highlighted = at
        box = self.query_one(Vertical)
        box.border_subtitle = f"{self._count} at a time; a number changes that"


def _of_mask(path: str, players: Sequence[Player]) -> Removed:
    """Return what a mask removes.

    Raises:
        CornerstoneError: it cannot be read, or its model has other players.
    """
    if not path:
        raise CornerstoneError("write the name of a mask file, or press escape")
    mask = read(at_home(path))
    if mask.model.players != tuple(players):
        raise CornerstoneError(
            f"{path} is for {mask.model.name}, whose layers are not those of this model; it removes "
            f"{format_removed(mask.numbers, mask.model.players)}"
        )
    return mask.numbers
