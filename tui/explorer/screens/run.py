"""The dialog that chooses tasks, a schedule, its units and the number of documents, and shows the cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig, load_config, run_settings
from core.config.task_config import TaskConfig
from core.cost.run_time import NOTHING, Known
from core.errors import CornerstoneError
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.registry import scheduled, schedules
from core.estimators.setting import NamedSetting, Number, in_digits, settings_of
from core.estimators.windows import WindowFirst
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Opened
from tui.drawing.mends import explorer_text
from tui.explorer.actions import RUN, bindings
from tui.explorer.cost import choosable, cost_of
from tui.explorer.field_error import FieldError, a_number, checked, layers_a_block
from tui.explorer.job_text import named_task
from tui.explorer.widgets.choice import Choice
from tui.explorer.widgets.cost_lines import CostLines
from tui.explorer.widgets.limit_row import LimitRow
from tui.explorer.widgets.tick_row import TickRow


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
_LAYERS = "layers a block"
_TOP = 3
_COST = 0.05
"""A drop that a person may ask about: five points of an accuracy."""
_UNTIL_TOP, _UNTIL_COST = 1, 2
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
        .-wrong Label { color: $text-error; }
        #cost { margin: 1 0 0 0; height: auto; min-height: 4; max-height: 6; }
        #cost.-fault { color: $text-error; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, bench: Opened, known: Known = NOTHING) -> None:
        """Offer to run what is open.

        Args:
            bench: the open model and tasks.
            known: what is known of this model's speed.
        """
        super().__init__()
        self._bench = bench
        self._known = known
        self._config = bench.config
        self._offers = _offers()
        self._values = _values_of(bench.tasks)
        self._charted = self._first_value()

    def compose(self) -> ComposeResult:
        config = self._config
        ends = ("all documents", f"top {config.until_top or _TOP} at {config.confidence:.0%}", "costs above")
        cost = _COST if config.until_cost is None else config.until_cost
        with Vertical(id="dialog") as box:
            box.border_title = "Run a schedule"
            box.border_subtitle = "arrows choose, enter or ctrl+s starts, esc cancels"
            if choosable(self._bench):
                yield from _row("tasks", TickRow([named_task(task) for task in config.tasks], id="tasks"))
            yield from _row("schedule", Choice([offer.label for offer in self._offers], 0, id="schedule"))
            yield Static(id="what", markup=False)
            yield from _row("players", Choice(_PLAYERS, 0, id="players"))
            yield from _row("value", Choice(self._values, self._charted, id="value"))
            yield from _row("stop", Choice(ends, 0, id="stop"), _number("", "until-cost", cost))
            with Container(id="numbers"):
                for setting in run_settings():
                    written = config.settings.get(setting.name, setting.default)
                    yield _number(setting.about.label, _field(setting), written)
                yield _number(_LAYERS, "layers", self._layers_a_block())
            yield LimitRow(config.limit, id="limit-number")
            yield CostLines(id="cost")
            with Horizontal(id="buttons"):
                yield Button("start", id="start", variant="primary", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#schedule").focus()
        self._show_cost()

    @on(Choice.Changed)
    @on(TickRow.Changed)
    @on(Input.Changed)
    def _show_cost(self) -> None:
        offer = self._offer
        self.query_one("#what", Static).update(offer.what)
        self.query_one("#layers-number").disabled = self._chosen("players", _PLAYERS) != _BLOCKS
        self.query_one("#until-cost-number").disabled = self._end != _UNTIL_COST
        for setting in run_settings():
            self.query_one(f"#{_field(setting)}-number").disabled = setting.name not in offer.settings
        cost, wrong = self.query_one(CostLines), None
        try:
            said = cost_of(self._asked(), self._bench, self._known)
        except FieldError as error:
            said, wrong = str(error), error.field
        except CornerstoneError as error:
            said, wrong = explorer_text(error), ""
            for key in ("until_top: ", "until_cost: "):
                said = said.replace(key, "stop: ", 1)
        cost.set_class(wrong is not None, "-fault")
        for row in self.query(".number, LimitRow, #tasks"):
            row.set_class(row.id in {wrong, f"{wrong}-number"}, "-wrong")
        cost.tell(said)

    @property
    def _offer(self) -> _Offer:
        return self._offers[self.query_one("#schedule", Choice).chosen]

    @property
    def _end(self) -> int:
        return self.query_one("#stop", Choice).chosen

    def _chosen(self, name: str, options: Sequence[str]) -> str:
        return options[self.query_one(f"#{name}", Choice).chosen]

    def _asked(self) -> RunConfig:
        """Return the chosen configuration. A setting that the schedule does not use stays as it was."""
        offer, config = self._offer, self._config
        players, value = self._chosen("players", _PLAYERS), self._chosen("value", self._values)
        return load_config(
            None,
            {
                **config.model_dump(),
                **self._settings(),
                "tasks": self._tasks(),
                "schedule": offer.schedules,
                "players": f"{_BLOCKS}:{self._layers()}" if players == _BLOCKS else players,
                "value": config.value if value == self._values[self._charted] else value,
                "until_top": (config.until_top or _TOP) if self._end == _UNTIL_TOP else None,
                "until_cost": self._cost_asked() if self._end == _UNTIL_COST else None,
                "remove": (),
                "limit": self.query_one(LimitRow).chosen,
            },
        )

    def _settings(self) -> dict[str, Number]:
        """Return the numbers of the settings that the schedule uses."""
        used = [each for each in run_settings() if each.name in self._offer.settings]
        return {
            each.name: checked(_field(each), each.about.label, self._written(_field(each)), each.checked)
            for each in used
        }

    def _tasks(self) -> tuple[TaskConfig, ...]:
        """Return the tasks that are ticked, all if there is nothing to tick."""
        tasks = self._config.tasks
        if not choosable(self._bench):
            return tasks
        ticked = self.query_one("#tasks", TickRow).ticked
        if not ticked:
            raise FieldError("tasks", "tasks: tick at least one")
        return tuple(task for number, task in enumerate(tasks) if number in ticked)

    def _cost_asked(self) -> float:
        return checked("until-cost", "costs above", self._written("until-cost"), a_number)

    def _layers(self) -> int:
        return checked("layers", _LAYERS, self._written("layers"), layers_a_block)

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
        except FieldError as error:
            self.query_one(f"#{error.field}").focus()  # what is wrong stands below the fields already
        except CornerstoneError:
            self.app.bell()
        else:
            self.dismiss(config)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)


def _field(setting: NamedSetting) -> str:
    """Return the id of a setting's field, which no other part of the dialog has."""
    return f"setting-{setting.name}"


def _row(name: str, *parts: Widget) -> ComposeResult:
    with Horizontal(classes="row"):
        yield Label(name, classes="name")
        yield from parts


def _number(label: str, name: str, value: Number) -> Horizontal:
    field = Input(in_digits(value), id=name, compact=True)
    return Horizontal(Label(label), field, id=f"{name}-number", classes="number")


def _values_of(tasks: Sequence[BenchTask]) -> tuple[str, ...]:
    """Return the values that every open task has."""
    offered = [task.values or (task.value,) for task in tasks]
    shared = [value for value in offered[0] if all(value in values for values in offered)] if offered else []
    return (*((_OWN,) if len({task.value for task in tasks}) > 1 else ()), *shared)
