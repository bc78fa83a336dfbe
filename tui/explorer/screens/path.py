"""The dialog that asks for a removal path: how many steps, over which units, on how many documents."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from core.coalitions.grouping import SUBLAYERS, grouping
from core.config.limit import documents_in
from core.config.run_config import RunConfig, load_config
from core.errors import CornerstoneError
from core.evaluator.protocol import Opened
from core.removal_path.request import DEFAULT_STEPS, PathRequest
from tui.drawing.mends import explorer_text
from tui.drawing.numbers import whole
from tui.drawing.plain import counted, plain
from tui.explorer.actions import PATH, bindings
from tui.explorer.field_error import checked, whole_from_1
from tui.explorer.widgets.choice import Choice
from tui.explorer.widgets.limit_row import LimitRow
from tui.explorer.widgets.ticks import Tick

_UNITS = (SUBLAYERS, "layers")


class PathDialog(ModalScreen[tuple[RunConfig, PathRequest] | None]):
    """Its result is what to search, and on which model, tasks and documents."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("path", PATH),
        Binding("down", "app.focus_next", "next line", show=False),
        Binding("up", "app.focus_previous", "line before", show=False),
    ]
    AUTO_FOCUS = "#steps"
    DEFAULT_CSS = """
    PathDialog {
        align: center middle;
        #dialog { width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $primary;
                  padding: 1 2; overflow-y: auto; background: $surface; border-title-color: $foreground; }
        Input { width: 8; background: $panel; }
        .row { height: 1; }
        .row Label { margin-right: 1; }
        Tick { background: transparent; margin-top: 1; }
        #what { height: auto; margin-bottom: 1; color: $text-muted; }
        #cost { margin: 1 0; height: auto; min-height: 2; }
        #cost.-fault { color: $text-error; }
        #buttons { height: auto; align-horizontal: right; }
        #buttons > Button { margin-left: 2; }
    }
    """

    def __init__(self, bench: Opened) -> None:
        super().__init__()
        self._bench = bench

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as box:
            box.border_title = "Search a removal path"
            box.border_subtitle = "enter or ctrl+s starts, esc cancels"
            what = "Removes the unit that is missed least, again and again, each time after trying all that are left."
            yield Static(what, id="what", markup=False)
            with Horizontal(classes="row"):
                yield Label("steps")
                yield Input(str(DEFAULT_STEPS), id="steps", compact=True)
            with Horizontal(classes="row"):
                yield Label("units")
                yield Choice(_UNITS, 0, id="units")
            yield LimitRow(self._bench.config.limit)
            yield Tick(
                "score it on as many other documents too, which did not choose it", True, id="held", compact=True
            )
            yield Static(id="cost", markup=False)
            with Horizontal(id="buttons"):
                yield Button("start", id="start", variant="primary", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._show_cost()

    @on(Choice.Changed)
    @on(Input.Changed)
    @on(Tick.Changed)
    def _show_cost(self) -> None:
        cost = self.query_one("#cost", Static)
        try:
            said = self._cost()
        except CornerstoneError as error:
            cost.set_classes("-fault")
            said = plain(explorer_text(error))
        else:
            cost.set_classes("")
        cost.update(said)

    def _asked(self) -> tuple[RunConfig, PathRequest]:
        """Return what is chosen.

        Raises:
            CornerstoneError: a number is none, or out of range.
        """
        config = self._bench.config
        alone = {"schedule": (), "remove": (), "players": SUBLAYERS, "until_top": None, "until_cost": None}
        limit = self.query_one(LimitRow).chosen
        request = PathRequest(
            steps=checked("steps", "steps", self.query_one("#steps", Input).value.strip(), whole_from_1),
            value=config.value,
            players=_UNITS[self.query_one("#units", Choice).chosen],
            held_out=self.query_one("#held", Tick).value,
        )
        return load_config(None, {**config.model_dump(), **alone, "limit": limit}), request

    def _cost(self) -> str:
        """Return in words how much the search evaluates at most."""
        config, request = self._asked()
        units = len(grouping(request.players, self._bench.model.players).units)
        steps = min(request.steps, units)
        tried = 1 + sum(units - step for step in range(steps))
        documents = sum(documents_in(config.limit, task.size) for task in self._bench.tasks)
        held_out = documents * (steps + 1) if request.held_out and config.limit is not None else 0
        what = f"{counted(steps, 'step')} of {units} {request.players}: at most {whole(documents * tried)} outcomes"
        more = f", and {whole(held_out)} on documents held out" if held_out else ""
        alone = "; with all documents none is held out" if request.held_out and config.limit is None else ""
        return f"{what}{more}; what is stored is not evaluated again{alone}"

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        try:
            found = self._asked()
        except CornerstoneError:
            self._show_cost()
            return
        self.dismiss(found)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)
