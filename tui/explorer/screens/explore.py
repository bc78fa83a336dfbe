"""The home screen: the layer grid, live charts, the removed coalition, and the running job."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Footer

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.evaluator.protocol import Open, Pause, Resume, StartJob, Toggle
from core.study.plan import own_question
from tui.drawing.command_line import run_command
from tui.explorer.actions import EXPLORE, bindings
from tui.explorer.browser_tables import Scope
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.state import State
from tui.explorer.widgets.ablation_plot import AblationPlot
from tui.explorer.widgets.coalition_panel import CoalitionPanel
from tui.explorer.widgets.job_line import JobLine
from tui.explorer.widgets.layer_grid import LayerGrid
from tui.explorer.widgets.shapley_bars import ShapleyBars
from tui.explorer.widgets.status_bar import StatusBar

_NOTHING_OPEN = "nothing is open yet; m chooses a model and tasks"


class ExploreScreen(ExplorerScreen):
    """Shows the app's state, and turns keys into requests."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("explore", EXPLORE)]
    DEFAULT_CSS = """
    ExploreScreen {
        #charts { height: 1fr; min-height: 7; }
        #below { height: 6; }
        AblationPlot { width: 3fr; }
        ShapleyBars { width: 2fr; }
        CoalitionPanel, JobLine { width: 1fr; height: 100%; }
    }
    """

    def compose(self) -> ComposeResult:
        yield StatusBar()
        yield LayerGrid()
        with Horizontal(id="charts"):
            yield AblationPlot()
            yield ShapleyBars()
        with Horizontal(id="below"):
            yield CoalitionPanel()
            yield JobLine()
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(LayerGrid).focus()
        self.watch(self.app, "state", self._show)

    def _show(self, before: State, now: State) -> None:
        charts = now.shown_charts
        self.query_one(StatusBar).show(now)
        self.query_one(LayerGrid).show(now.players, now.removed, charts)
        sweeping = now.current_job is not None
        self.query_one(AblationPlot).show(now.players, charts, now.bench_task, sweeping=sweeping)
        self.query_one(ShapleyBars).show(charts, sweeping=sweeping)
        self.query_one(CoalitionPanel).show(now)
        self.query_one(JobLine).show(now)
        if now.notice and now.notice != before.notice:
            self.explorer.say(now.notice, error=True)
        noted = {job.job: len(job.notes) for job in before.jobs}
        for job in now.jobs:
            if len(job.notes) > noted.get(job.job, len(job.notes)):
                self.explorer.say(f"job {job.job} has looked whether its top is decided (j shows it)")
        went_on = {job.job for job in before.jobs if job.state != "failed"}
        for job in now.jobs:
            if job.state == "failed" and job.job in went_on:
                self.explorer.say(
                    f"job {job.job} failed: {job.error.strip().splitlines()[-1]} (j shows it)", error=True
                )

    @on(LayerGrid.Changed)
    def _changed(self, message: LayerGrid.Changed) -> None:
        self._remove(message.removed)

    def _remove(self, removed: Removed) -> None:
        before = self.explorer.state
        removed = tuple(number for number in removed if number < len(before.players))  # another model came meanwhile
        self.explorer.remove(removed)
        # Also with no layer removed: the intact model replaces a coalition that is no longer wanted.
        if (removed or before.removed) and before.task is not None:
            self.explorer.ask(Toggle(task=before.task, removed=removed))

    def action_toggle_layer(self) -> None:
        self.query_one(LayerGrid).toggle_here()

    def action_clear(self) -> None:
        self._remove(())

    def action_next_task(self) -> None:
        state = self.explorer.state
        keys = [] if state.bench is None else [task.key for task in state.bench.tasks]
        if state.task in keys:
            self.explorer.show_task(keys[(keys.index(state.task) + 1) % len(keys)])
            self._remove(state.removed)

    def action_pause(self) -> None:
        job = self.explorer.state.current_job
        if job is None or job.state == "queued":
            self.explorer.say("no job is running")
        else:
            self.explorer.ask(Resume(job=job.job) if job.state == "paused" else Pause(job=job.job))

    def action_run(self) -> None:
        from tui.explorer.screens.run import RunDialog

        bench = self.explorer.state.bench
        if bench is None:
            self.explorer.say(_NOTHING_OPEN)
            return

        def start(config: RunConfig | None) -> None:
            if config is not None:
                self.explorer.ask(StartJob(config=config, command=run_command(config, self.explorer.store)))

        self.app.push_screen(RunDialog(bench), start)

    def action_choose(self) -> None:
        from tui.explorer.screens.choose import ChooseDialog

        def reopen(config: RunConfig | None) -> None:
            if config is not None:
                self.explorer.ask(Open(config=config))

        self.app.push_screen(ChooseDialog(self.explorer.config), reopen)

    def action_reload(self) -> None:
        bench = self.explorer.state.bench
        if bench is None:
            self.explorer.say(_NOTHING_OPEN)
        else:
            self.explorer.ask(Open(config=bench.config))

    def action_jobs(self) -> None:
        from tui.explorer.screens.jobs import JobsScreen

        self.app.push_screen(JobsScreen())

    def action_results(self) -> None:
        from tui.explorer.screens.results import ResultsScreen

        self.app.push_screen(ResultsScreen(self.explorer.store, self._scope()))

    def action_export(self) -> None:
        from tui.explorer.screens.export import ExportDialog

        self.app.push_screen(ExportDialog(self.explorer.store, self._scope(), table="ablation"))

    def _scope(self) -> Scope:
        """Return the scope of the charts."""
        bench, task = self.explorer.state.bench, self.explorer.state.bench_task
        if bench is None or task is None:
            return Scope()
        return Scope(bench.model_id, task.task_id, task.charted, bench.config.settings, own_question(bench.config))
