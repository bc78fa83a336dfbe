"""The question before a sweep: which schedule, over how many documents, and how many outcomes that is."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, RadioButton, RadioSet, Static

from core.config import RunConfig, command_of, load_config
from core.errors import CornerstoneError
from core.evaluator.protocol import Opened
from core.grouping import SUBLAYERS
from core.schedules import ScheduleName, ablation, windows
from tui.actions import RUN, bindings
from tui.text import plain
from tui.widgets.limit_row import LimitRow

_CHOICES: tuple[tuple[str, tuple[ScheduleName, ...]], ...] = (
    ("windows: runs of 1 to k sublayers removed, for Shapley values", ("windows",)),
    ("ablation: every sublayer removed alone", ("ablation",)),
    ("ablation first, then windows", ("ablation", "windows")),
)


class RunDialog(ModalScreen[tuple[RunConfig, str] | None]):
    """Returns the configuration to run and the command that would do the same without the explorer."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("run", RUN)]
    DEFAULT_CSS = """
    RunDialog {
        align: center middle;
        #dialog { width: 72; max-width: 100%; height: auto; max-height: 100%; border: round $primary;
                  padding: 1 2; background: $surface; border-title-color: $foreground; }
        RadioSet { background: transparent; }
        Input { width: 12; background: $panel; }
        Label { width: 30; }
        .row { height: 1; margin-top: 1; }
        #cost { margin-top: 1; height: 2; }
        #buttons { height: auto; margin-top: 1; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, bench: Opened) -> None:
        super().__init__()
        self._bench = bench
        self._config = bench.config

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as box:
            box.border_title = "Run a schedule"
            box.border_subtitle = "ctrl+s starts, esc cancels"
            with RadioSet(id="schedule", compact=True):
                for number, (text, _) in enumerate(_CHOICES):
                    yield RadioButton(Text(text), value=number == 0, compact=True)
            with Horizontal(classes="row"):
                yield Label("longest window k (1 to 8)")
                yield Input(str(self._config.max_removed), id="max_removed", type="integer", compact=True)
            yield LimitRow(self._config.limit)
            yield Static(id="cost")
            with Horizontal(id="buttons"):
                yield Button("start", id="start", variant="primary", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#schedule").focus()
        self._show_cost()

    @on(RadioSet.Changed)
    @on(Input.Changed)
    def _show_cost(self) -> None:
        cost = self.query_one("#cost", Static)
        try:
            config = self._chosen()
        except CornerstoneError as error:
            cost.update(Text(plain(str(error)), "red"))
            return
        players = len(self._bench.model.kinds)
        sets = {*ablation(players)} if "ablation" in config.schedules else set()
        if "windows" in config.schedules:
            sets |= {*windows(players, config.max_removed)}
        documents = "all" if config.limit is None else f"{config.limit:,}"
        tasks = ", ".join(task.name for task in config.tasks)
        cost.update(
            Text(
                f"{len(sets):,} coalitions x {documents} documents x {plain(tasks)};\n"
                "what is stored already is not evaluated again"
            )
        )

    def _chosen(self) -> RunConfig:
        _, schedules = _CHOICES[max(0, self.query_one(RadioSet).pressed_index)]
        options = {
            **self._config.model_dump(),
            "schedule": schedules,
            "players": SUBLAYERS,
            "until_top": None,
            "remove": (),
            "max_removed": self.query_one("#max_removed", Input).value.strip() or None,
            "limit": self.query_one(LimitRow).written,
        }
        return load_config(None, options)

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        try:
            config = self._chosen()
        except CornerstoneError as error:
            self.notify(plain(str(error)), severity="error", markup=False)
            return
        self.dismiss((config, command_of(config)))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)
