"""The dialog that chooses a model, tasks, and the number of documents. It stays until the evaluator has agreed."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widgets import Button, Input, Static

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig, absolute, load_config
from core.errors import CornerstoneError
from tui.drawing.command_line import task_text
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import CHOOSE, bindings
from tui.explorer.in_thread import in_thread
from tui.explorer.look_before import look_before
from tui.explorer.port import ExplorerPort
from tui.explorer.screens.typing_dialog import TypingDialog
from tui.explorer.state import State
from tui.explorer.widgets.experts_row import ExpertsRow
from tui.explorer.widgets.limit_row import LimitRow
from tui.explorer.widgets.model_picker import ModelPicker
from tui.explorer.widgets.picker import Picker
from tui.explorer.widgets.task_picker import TaskPicker

_KEYS = "enter takes, ctrl+s opens, esc closes"
_KEYS_MEANWHILE = "ctrl+x gives it up, esc closes and lets it go on"


class ChooseDialog(TypingDialog[RunConfig | None]):
    """Has a choice opened, and returns it when it is open; None if it is closed before that."""

    AUTO_FOCUS = "#model"
    TYPED = "Picker Input"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("choose", CHOOSE)]
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 as Textual has it
        (0, "-narrow"),
        (130, "-wide"),
    ]
    DEFAULT_CSS = """
    ChooseDialog {
        align: center middle;
        #dialog { width: 110; max-width: 100%; height: 95%; max-height: 40; border: round $primary; padding: 0 1;
                  background: $surface; border-title-color: $foreground; }
        #pickers { height: 1fr; layout: vertical; }
        .row { height: 1; }
        .row Label { width: 30; }
        .row Input { width: 14; background: $panel; }
        #fault { height: auto; max-height: 4; }
        #fault.fault { color: $text-error; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
        #give-up { display: none; }
        &.-waiting #give-up { display: block; }
        &.-wide #dialog { width: 180; max-width: 95%; padding: 1 2; }
        &.-wide #pickers { layout: horizontal; }
        &.-wide Picker { width: 1fr; margin-right: 2; }
    }
    """

    def __init__(
        self, config: RunConfig, said: str = "", *, is_pending: bool = False, model: str = "", task: str = ""
    ) -> None:
        """Make the dialog.

        Args:
            config: what it shows at first.
            said: why that was refused before.
            is_pending: it is being opened already, and the dialog waits for it.
            model: the model to open at once in place of that of ``config``.
            task: a task to open at once besides those of ``config``.
        """
        super().__init__()
        self._config = config
        self._refusal = said
        self._pending = is_pending
        self._busy = self._waiting = False
        self._agreed = ""
        """The model whose download was announced."""
        self._at_once = bool(model or task)
        self._models = ModelPicker(model or config.model)
        self._tasks = TaskPicker([*map(task_text, config.tasks), *filter(None, [task])])
        self._experts, self._limit = ExpertsRow(config.expert_layers), LimitRow(config.limit)
        self._fault = Static(id="fault", markup=False)
        self._box = Vertical(id="dialog")

    def compose(self) -> ComposeResult:
        self._box.border_title = "Choose a model and tasks"
        self._box.border_subtitle = _KEYS
        with self._box:
            yield Container(self._models, self._tasks, id="pickers")
            yield self._experts
            yield self._limit
            yield self._fault
            with Horizontal(id="buttons"):
                yield Button("open", id="open", variant="primary", compact=True)
                yield Button("give up", id="give-up", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.watch(self.app, "state", self._follow)
        job = self._explorer.state.current_job
        if self._refusal:
            self._tell(self._refusal)
        elif job is not None:
            here = f"job {job.job} sweeps {job.config.model}"
            self._tell(f"{here}: other tasks can be opened now, another model when it has ended", fault=False)
        self._look()
        if self._pending:
            self._open(self._config)
        elif self._at_once:
            self.action_open()

    @property
    def _explorer(self) -> ExplorerPort:
        return cast("ExplorerPort", self.app)

    @work
    async def _look(self) -> None:
        """Look up which models are on this machine, and which tasks lm-eval has. It takes a moment."""
        await self._models.look()
        try:
            await self._tasks.look()
        except CornerstoneError as error:
            self._tell(explorer_text(error))

    def _follow(self, state: State) -> None:
        if self._waiting:
            self._tell(state.narration or "opening it", fault=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key that gives up to the fields while there is nothing to give up."""
        return self._waiting if action == "give_up" else super().check_action(action, parameters)

    @on(Picker.Submitted, "#model-picker")
    def _model_entered(self) -> None:
        if not self._models.take():
            self.action_open()

    @on(Picker.Submitted, "#task-picker")
    def _task_entered(self) -> None:
        self._tasks.take()

    @on(Input.Submitted, "#experts")
    @on(Input.Submitted, "#limit")
    @on(Button.Pressed, "#open")
    def action_open(self) -> None:
        if self._busy or not self._models.is_whole() or not self._tasks.is_whole():
            return
        try:
            self._open(self._written(self._models.chosen, self._tasks.ticked))
        except CornerstoneError as error:
            self._tell(explorer_text(error))

    def _written(self, model: str, tasks: list[str]) -> RunConfig:
        """Return what is written in the dialog.

        Raises:
            CornerstoneError: something is no value of its kind.
        """
        kept = {task_text(task): task for task in self._config.tasks}
        same = model == self._config.model
        own = {} if same else {"revision": None, "adapter": None}  # those of another model
        options: dict[str, Any] = {
            **self._config.model_dump(),
            **own,
            "model": model,
            "tasks": [kept[one].model_dump() if one in kept else one for one in tasks],
            "expert_layers": self._experts.written(same_model=same),
            "limit": self._limit.chosen,
            "remove": (),
            "schedule": (),
            "players": SUBLAYERS,
            "until_top": None,
            "until_cost": None,
        }
        return absolute(load_config(None, options))

    @work(exclusive=True, group="open")
    async def _open(self, config: RunConfig) -> None:
        """Look at a choice, and have it opened."""
        self._busy = True
        try:
            if self._pending or await self._is_sound(config):
                self._pending = False
                await self._wait_for(config)
        finally:
            self._busy = False

    async def _is_sound(self, config: RunConfig) -> bool:
        """Return whether nothing is wrong with a choice, and its download was agreed to."""
        self._tell("looking at it", fault=False)
        verdict = await in_thread(partial(look_before, config))
        self._tell("")
        if verdict.said:
            picker = self._models if verdict.field == "model" else self._tasks
            picker.say(verdict.said, fault=True)
            return False
        if verdict.download and self._agreed != config.model:
            self._agreed = config.model
            self._tell(f"{verdict.download}; ctrl+s once more fetches it", fault=False)
            return False
        return True

    async def _wait_for(self, config: RunConfig) -> None:
        self._wait(True)
        try:
            said = await self._explorer.open(config)
        finally:
            self._wait(False)
        if said is None:
            self.dismiss(config)
        else:
            self._tell(said)

    def _wait(self, waiting: bool) -> None:
        self._waiting = waiting
        if not self.is_attached:
            return
        self._box.border_subtitle = _KEYS_MEANWHILE if waiting else _KEYS
        self.set_class(waiting, "-waiting")
        self._follow(self._explorer.state)

    def _tell(self, text: str, *, fault: bool = True) -> None:
        self._fault.set_class(fault, "fault")
        self._fault.update(plain(text))

    @on(Button.Pressed, "#give-up")
    def action_give_up(self) -> None:
        self._explorer.give_up()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)
