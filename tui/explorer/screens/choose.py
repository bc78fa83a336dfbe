"""The dialog that chooses a model, tasks, and the number of documents."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option
from textual.widgets.selection_list import Selection

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig, absolute, load_config
from core.errors import CornerstoneError
from core.models.aliases import Alias, aliases, cached
from core.tasks.index import runnable_names, shipped_tasks
from tui.drawing.command_line import task_text
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import CHOOSE, bindings
from tui.explorer.widgets.experts_row import ExpertsRow
from tui.explorer.widgets.limit_row import LimitRow
from tui.explorer.widgets.ticks import TickList


class ChooseDialog(ModalScreen[RunConfig | None]):
    """Returns the configuration to open."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("choose", CHOOSE)]
    DEFAULT_CSS = """
    ChooseDialog {
        align: center middle;
        #dialog { width: 96; max-width: 100%; height: 90%; max-height: 34; border: round $primary;
                  padding: 1 2; background: $surface; border-title-color: $foreground; }
        #lists { height: 1fr; }
        .column { width: 1fr; height: 1fr; margin-right: 1; }
        .column Label { text-style: bold; }
        .column Input { background: $panel; }
        OptionList, TickList { height: 1fr; border: none; background: transparent; padding: 0; }
        OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
        .row { height: 1; }
        .row Label { width: 30; }
        .row Input { width: 12; background: $panel; }
        #fault { height: 1; color: $error; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, config: RunConfig) -> None:
        super().__init__()
        self._config = config
        self._aliases = aliases()

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as box:
            box.border_title = "Choose a model and tasks"
            box.border_subtitle = "ctrl+s opens, esc cancels, space ticks a task"
            with Horizontal(id="lists"):
                with Vertical(classes="column"):
                    yield Label("Model: alias, hub id, folder, .gguf")
                    yield Input(self._config.model, id="model", compact=True)
                    yield OptionList(*(Option(_alias_text(alias, None), id=alias.name) for alias in self._aliases))
                with Vertical(classes="column"):
                    yield Label("Tasks: NAME or NAME=FILE.jsonl")
                    yield Input(placeholder="another task, enter adds it", id="task", compact=True)
                    yield TickList(*self._selections())
            yield ExpertsRow(self._config.expert_layers)
            yield LimitRow(self._config.limit)
            yield Static(id="fault")
            with Horizontal(id="buttons"):
                yield Button("open", id="open", variant="primary", compact=True)
                yield Button("cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#model").focus()
        self._look()

    def _selections(self) -> list[Selection[str]]:
        names = map(task_text, self._config.tasks)
        chosen = {name: Selection(Text(plain(name)), name, True) for name in names}
        shipped = {
            task.name: Selection(Text.assemble(plain(task.name), (f"  {plain(task.description)}", "dim")), task.name)
            for task in shipped_tasks()
        }
        return [*chosen.values(), *(selection for name, selection in shipped.items() if name not in chosen)]

    @work(thread=True)
    def _look(self) -> None:
        """Look up which models are cached, and which tasks lm-eval has. It takes a moment."""
        try:
            there = {alias.name: cached(alias) for alias in self._aliases}
            self.app.call_from_thread(self._show_cached, there)
            names = runnable_names()
        except CornerstoneError as error:
            self.app.call_from_thread(self._tell, explorer_text(error))
        else:
            self.app.call_from_thread(self._suggest, names)

    def _show_cached(self, there: dict[str, bool]) -> None:
        options = self.query_one(OptionList)
        for alias in self._aliases:
            options.replace_option_prompt(alias.name, _alias_text(alias, there[alias.name]))

    def _suggest(self, names: list[str]) -> None:
        self.query_one("#task", Input).suggester = SuggestFromList(names)

    @on(OptionList.OptionSelected)
    def _take_alias(self, event: OptionList.OptionSelected) -> None:
        self.query_one("#model", Input).value = str(event.option.id)

    @on(Input.Submitted, "#task")
    def _add_task(self, event: Input.Submitted) -> None:
        written = event.value.strip()
        tasks = self.query_one(TickList)
        if not written:
            return
        if written not in {tasks.get_option_at_index(i).value for i in range(tasks.option_count)}:
            tasks.add_option(Selection(Text(plain(written)), written, True))
        tasks.select(written)
        event.input.value = ""

    @on(Input.Submitted, "#model")
    @on(Input.Submitted, "#experts")
    @on(Input.Submitted, "#limit")
    @on(Button.Pressed, "#open")
    def action_open(self) -> None:
        waiting = self.query_one("#task", Input).value.strip()
        kept = {task_text(task): task for task in self._config.tasks}
        written = [*self.query_one(TickList).selected, *([waiting] if waiting else [])]
        model = self.query_one("#model", Input).value.strip()
        same = model == self._config.model
        own = {} if same else {"revision": None, "adapter": None}  # those of another model
        options = {
            **self._config.model_dump(),
            **own,
            "model": model,
            "tasks": [kept[one].model_dump() if one in kept else one for one in written],
            "expert_layers": self.query_one(ExpertsRow).written(same_model=same),
            "limit": self.query_one(LimitRow).written,
            "remove": (),
            "schedule": (),
            "players": SUBLAYERS,
            "until_top": None,
        }
        try:
            self.dismiss(absolute(load_config(None, options)))
        except CornerstoneError as error:
            self._tell(explorer_text(error))

    def _tell(self, text: str) -> None:
        self.query_one("#fault", Static).update(Text(plain(text)))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)


def _alias_text(alias: Alias, there: bool | None) -> Text:
    size = f"{alias.download_mb:,} MB" if alias.download_mb else ""
    state = {None: size, True: "cached", False: f"{size} to fetch".strip()}[there]
    return Text.assemble(alias.name, (f"  {state}  {alias.description}", "dim"), no_wrap=True, overflow="ellipsis")
