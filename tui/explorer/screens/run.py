"""The dialog that chooses a schedule, its units and the number of documents, and shows the cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig, load_config, run_settings
from core.errors import CornerstoneError
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.registry import scheduled, schedules
from core.estimators.setting import NamedSetting, Number, in_digits, settings_of
from core.estimators.windows import WindowFirst
from core.evaluator.protocol import BenchTask, Opened
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import RUN, bindings
from tui.explorer.cost import cost_of
from tui.explorer.widgets.choice import Choice
from tui.explorer.widgets.limit_row import LimitRow


@dataclass(frozen=True, slots=True)
class _Offer:
    """A choice of schedules: its name, its purpose, and its settings."""

    label: str
    schedules: tuple[str, ...]
    what: str

    @property
    def settings(self) -> tuple[str, ...]:
        """The names of its settings."""
        return tuple(setting.name for name in self.schedules for setting in settings_of(scheduled(name)))


def _offers() -> tuple[_Offer, ...]:
    """Return every schedule, and after the paper's two a choice of both."""
    single = [_Offer(name, (name,), kind.summary) for name, kind in schedules().items()]
    first = (LeaveOneOut.schedule, WindowFirst.schedule)
    both = _Offer("both", first, "ablation first, so that its chart is whole early, then windows")
    return (*single[: len(first)], both, *single[len(first) :])


_BLOCKS = "blocks"
_PLAYERS = (SUBLAYERS, "layers", _BLOCKS, "kinds")
_OWN = "each its own"
_TOP = 3
# All coalitions of this many blocks cost about as much as a windows sweep of a 30-layer model.
_EASY_BLOCKS = 10


class RunDialog(ModalScreen[RunConfig | None]):
    """Returns the configuration to run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("run", RUN),
        Binding("down", "app.focus_next", "next line", show=False),
        Binding("up", "app.focus_previous", "line before", show=False),
    ]
    DEFAULT_CSS = """
    RunDialog {
        align: center middle;
        #dialog { width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $primary;
                  padding: 1 2; overflow-y: auto; background: $surface; border-title-color: $foreground; }
        Input { width: 8; background: $panel; }
        .row { height: 1; }
        .row Label { margin-right: 1; }
        .name { width: 9; color: $text-muted; }
        .number { width: auto; height: 1; margin-right: 3; }
        .number:disabled { opacity: 40%; }
        #what { height: 1; margin: 0 0 1 10; color: $text-muted; }
        #numbers { layout: grid; grid-size: 2; grid-rows: 1; height: auto; margin-top: 1; }
        #numbers Label { min-width: 17; padding-right: 1; }
        #cost { margin: 1 0; height: auto; min-height: 3; max-height: 5; }
        #cost.-fault { color: $text-error; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, bench: Opened) -> None:
        super().__init__()
        self._bench = bench
        self._config = bench.config
        self._offers = _offers()
        self._values = _values_of(bench.tasks)
        self._charted = self._first_value()

    def compose(self) -> ComposeResult:
        config = self._config
        top = f"once the top {config.until_top or _TOP} is decided at {config.confidence:.0%}"
        with Vertical(id="dialog") as box:
            box.border_title = "Run a schedule"
            box.border_subtitle = "arrows choose, enter or ctrl+s starts, esc cancels"
            yield from _row("schedule", Choice([offer.label for offer in self._offers], 0, id="schedule"))
            yield Static(id="what", markup=False)
            yield from _row("players", Choice(_PLAYERS, 0, id="players"))
            yield from _row("value", Choice(self._values, self._charted, id="value"))
            yield from _row("stop", Choice(("after all documents", top), 0, id="stop"))
            with Container(id="numbers"):
                for setting in run_settings():
                    written = config.settings.get(setting.name, setting.default)
                    yield _number(setting.about.label, _field(setting), written, setting.kind)
                yield _number("layers a block", "layers", self._layers_a_block(), int)
            yield LimitRow(config.limit)
            yield Static(id="cost", markup=False)
            with Horizontal(id="buttons"):
                yield Button("start", id="start", variant="primary", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#schedule").focus()
        self._show_cost()

    @on(Choice.Changed)
    @on(Input.Changed)
    def _show_cost(self) -> None:
        offer = self._offer
        self.query_one("#what", Static).update(offer.what)
        self.query_one("#layers-number").disabled = self._chosen("players", _PLAYERS) != _BLOCKS
        for setting in run_settings():
            self.query_one(f"#{_field(setting)}-number").disabled = setting.name not in offer.settings
        cost = self.query_one("#cost", Static)
        try:
            said = cost_of(self._asked(), self._bench)
        except CornerstoneError as error:
            said = plain(explorer_text(error))
            cost.set_classes("-fault")
        else:
            cost.set_classes("")
        cost.update(Text(said))

    @property
    def _offer(self) -> _Offer:
        return self._offers[self.query_one("#schedule", Choice).chosen]

    def _chosen(self, name: str, options: Sequence[str]) -> str:
        return options[self.query_one(f"#{name}", Choice).chosen]

    def _asked(self) -> RunConfig:
        """Return the chosen configuration. A setting that the schedule does not use stays as it was."""
        offer, config = self._offer, self._config
        players, value = self._chosen("players", _PLAYERS), self._chosen("value", self._values)
        until = self.query_one("#stop", Choice).chosen == 1
        written = {each.name: self._written(_field(each)) for each in run_settings() if each.name in offer.settings}
        return load_config(
            None,
            {
                **config.model_dump(),
                **written,
                "schedule": offer.schedules,
                "players": f"{_BLOCKS}:{self._written('layers')}" if players == _BLOCKS else players,
                "value": config.value if value == self._values[self._charted] else value,
                "until_top": (config.until_top or _TOP) if until else None,
                "remove": (),
                "limit": self.query_one(LimitRow).written,
            },
        )

    def _written(self, number: str) -> str:
        return self.query_one(f"#{number}", Input).value.strip()

    def _first_value(self) -> int:
        """Return the charted value if it is offered."""
        charted = [self._config.value or task.value for task in self._bench.tasks]
        return self._values.index(charted[0]) if len(set(charted)) == 1 and charted[0] in self._values else 0

    def _layers_a_block(self) -> int:
        name, _, layers = self._config.players.partition(":")
        if name == _BLOCKS:
            return int(layers)
        return ceil((1 + max(player.layer for player in self._bench.model.players)) / _EASY_BLOCKS)

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        try:
            config = self._asked()
            cost_of(config, self._bench)  # what cannot be done is refused here, not by a job that fails
        except CornerstoneError as error:
            self.notify(plain(explorer_text(error)), severity="error", markup=False)
            return
        self.dismiss(config)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)


def _field(setting: NamedSetting) -> str:
    """Return the id of a setting's field, which no other part of the dialog has."""
    return f"setting-{setting.name}"


def _row(name: str, choice: Choice) -> ComposeResult:
    with Horizontal(classes="row"):
        yield Label(name, classes="name")
        yield choice


def _number(label: str, name: str, value: Number, kind: type[int] | type[float]) -> Horizontal:
    field = Input(in_digits(value), id=name, type="integer" if kind is int else "number", compact=True)
    return Horizontal(Label(label), field, id=f"{name}-number", classes="number")


def _values_of(tasks: Sequence[BenchTask]) -> tuple[str, ...]:
    """Return the values that every open task has."""
    offered = [task.values or (task.value,) for task in tasks]
    shared = [value for value in offered[0] if all(value in values for values in offered)] if offered else []
    return (*((_OWN,) if len({task.value for task in tasks}) > 1 else ()), *shared)
