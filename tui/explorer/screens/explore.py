"""The home screen: the layer grid, live charts, the removed coalition, and the running job."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.evaluator.protocol import Open, Pause, Resume, StartJob, Toggle
from core.study.plan import own_question
from core.values.corpus import lower_is_better
from tui.drawing.command_line import run_command
from tui.explorer.actions import EXPLORE, bindings
from tui.explorer.browsing import Browsing
from tui.explorer.first_shares import first_shares
from tui.explorer.home_reading import Wanted
from tui.explorer.job_end import ended_between, has_written
from tui.explorer.job_text import end_text
from tui.explorer.scope import Scope
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.screens.home_feed import HomeFeed
from tui.explorer.screens.start_job import start_job
from tui.explorer.state import State
from tui.explorer.steps import Steps
from tui.explorer.widgets.ablation_plot import AblationPlot
from tui.explorer.widgets.coalition_panel import CoalitionPanel
from tui.explorer.widgets.documents_panel import DocumentsPanel
from tui.explorer.widgets.interaction_map import InteractionMap
from tui.explorer.widgets.job_line import JobLine
from tui.explorer.widgets.key_footer import KeyFooter
from tui.explorer.widgets.layer_grid import LayerGrid
from tui.explorer.widgets.shapley_bars import ShapleyBars
from tui.explorer.widgets.status_bar import StatusBar
from tui.explorer.widgets.tasks_panel import TasksPanel

_WIDTHS: list[tuple[int, str]] | None = [(0, "-narrow"), (60, "-medium"), (120, "-wide")]
_HEIGHTS: list[tuple[int, str]] | None = [(0, "-tiny"), (16, "-low"), (22, "-middle"), (45, "-tall")]


class ExploreScreen(ExplorerScreen):
    """Shows the app's state, and turns keys into requests."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("explore", EXPLORE)]
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    DEFAULT_CSS = """
    ExploreScreen {
        #charts { height: 1fr; min-height: 7; }
        #below { height: 6; }
        #now { width: 1fr; layout: horizontal; }
        AblationPlot { width: 3fr; }
        ShapleyBars { width: 2fr; }
        CoalitionPanel, JobLine { width: 1fr; height: 100%; }
        InteractionMap, TasksPanel, DocumentsPanel { display: none; }

        &.-low { #charts { min-height: 4; } #below { height: 5; } }
        &.-tiny {
            #charts, JobLine { display: none; }
            #below { height: 1fr; min-height: 3; }
            CoalitionPanel { min-height: 3; }
        }
        &.-narrow { ShapleyBars, JobLine { display: none; } }
        &.-wide.-tall {
            #below { height: 30%; }
            #now { layout: vertical; }
            CoalitionPanel, JobLine { width: 100%; height: auto; min-height: 5; }
            TasksPanel { display: block; width: 100%; height: 1fr; }
            DocumentsPanel { display: block; width: 1fr; height: 100%; }
            InteractionMap.-known { display: block; }
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._steps = Steps()

    def compose(self) -> ComposeResult:
        yield StatusBar()
        yield LayerGrid()
        with Horizontal(id="charts"):
            yield AblationPlot()
            yield ShapleyBars()
        yield InteractionMap()
        with Horizontal(id="below"):
            with Container(id="now"):
                yield CoalitionPanel()
                yield TasksPanel()
                yield JobLine()
            yield DocumentsPanel()
        yield HomeFeed(lambda: self.explorer.store)
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(LayerGrid).focus()
        self.watch(self.app, "state", self._show)

    def _show(self, before: State, now: State) -> None:
        charts = now.shown_charts
        if now.players != before.players:
            self._steps = Steps()
        self.query_one(StatusBar).show(now)
        lower = now.bench_task is not None and lower_is_better(now.bench_task.value)
        self.query_one(LayerGrid).show(now.players, now.removed, charts, lower=lower)
        sweeping = now.current_job is not None
        self.query_one(AblationPlot).show(now.players, charts, now.bench_task, sweeping=sweeping)
        soon = "" if charts and charts.shapley else first_shares(now.current_job, now.bench, now.task)
        self.query_one(ShapleyBars).show(charts, now.players, sweeping=sweeping, soon=soon)
        self.query_one(CoalitionPanel).show(now)
        self.query_one(JobLine).show(now)
        self.query_one(TasksPanel).show(now)
        self._feed(now)
        if now.notice and now.notice != before.notice:
            self.explorer.say(now.notice, error=True)
        noted = {job.job: len(job.notes) for job in before.jobs}
        for job in now.jobs:
            if len(job.notes) > noted.get(job.job, len(job.notes)):
                self.explorer.say(f"job {job.job} has looked whether its top is decided (j shows it)")
        for job in ended_between(before, now):
            if job.state == "failed":
                said = f"job {job.job} failed: {job.error.strip().splitlines()[-1]} (j shows it)"
                self.explorer.say(said, error=True)
            elif job.state == "finished":
                self.explorer.say(f"{job.title}: {end_text(job, datetime.now().astimezone())}")
            if job.state != "cancelled":
                self.explorer.ring(f"{job.title} {job.state}")
        if has_written(before, now):
            for screen in self.app.screen_stack:
                if isinstance(screen, ExplorerScreen):
                    screen.look_again()

    def on_resize(self) -> None:
        self._feed(self.explorer.state)

    def _feed(self, state: State) -> None:
        """Ask for what only a large terminal shows."""
        scope, charts = self._scope(), state.shown_charts
        if scope.task_id is None or not self.has_class("-wide") or not self.has_class("-tall"):
            return
        point = state.shown_score.point if state.shown_score else None
        if not state.removed:
            point = charts.intact if charts else None
        shares = charts.shapley if charts else ()
        documents = 0 if point is None else point.n
        self.query_one(HomeFeed).want(Wanted(scope, state.removed, documents, shares[0].n if shares else 0))

    @on(HomeFeed.Came)
    def _take(self, message: HomeFeed.Came) -> None:
        rows = message.rows
        self.query_one(DocumentsPanel).show(rows.documents, intact=not rows.wanted.removed)
        pairs = self.query_one(InteractionMap)
        pairs.show(rows.interactions)
        pairs.set_class(bool(rows.interactions), "-known")

    @on(TasksPanel.Picked)
    def _picked(self, message: TasksPanel.Picked) -> None:
        self.show_task(message.task)

    def show_task(self, task: str) -> None:
        """Show another task, by its key, under the same removed players."""
        if task != self.explorer.state.task:
            self.explorer.show_task(task)
            self._removed(self.explorer.state.removed)

    def go_to(self, player: int) -> None:
        """Move the cursor to a player."""
        self.query_one(LayerGrid).go_to(player)

    @on(LayerGrid.Changed)
    def _changed(self, message: LayerGrid.Changed) -> None:
        self._remove(message.removed)

    @on(LayerGrid.Moved)
    def _mark(self, message: LayerGrid.Moved) -> None:
        self.query_one(AblationPlot).mark(message.player)
        self.query_one(ShapleyBars).mark(message.player)
        pairs = self.query_one(InteractionMap)
        pairs.point_at(pairs.cursor[0], message.player)

    @on(InteractionMap.Picked)
    def _go_to_window(self, message: InteractionMap.Picked) -> None:
        self.query_one(LayerGrid).go_to(message.first)

    @on(AblationPlot.Picked)
    @on(ShapleyBars.Picked)
    def _go_to(self, message: AblationPlot.Picked | ShapleyBars.Picked) -> None:
        self.query_one(LayerGrid).go_to(message.player)

    def _remove(self, removed: Removed) -> None:
        """Remove exactly these players, as a step that can be undone."""
        self._steps = self._steps.onward(self.explorer.state.removed, self._removed(removed))

    def _removed(self, removed: Removed) -> Removed:
        """Remove exactly these players, and return those that were there to be removed."""
        before = self.explorer.state
        removed = tuple(number for number in removed if number < len(before.players))  # another model came meanwhile
        self.explorer.remove(removed)
        # Also with no layer removed: the intact model replaces a coalition that is no longer wanted.
        if (removed or before.removed) and before.task is not None:
            self.explorer.ask(Toggle(task=before.task, removed=removed))
        return removed

    def action_toggle_layer(self) -> None:
        self.query_one(LayerGrid).toggle_here()

    def action_toggle_whole(self) -> None:
        self.query_one(LayerGrid).toggle_here(whole_layers=True)

    def action_clear(self) -> None:
        self.query_one(LayerGrid).deselect()
        self._remove(())

    def action_undo(self) -> None:
        self._step(self._steps.back(self.explorer.state.removed), "nothing to undo")

    def action_redo(self) -> None:
        self._step(self._steps.again(self.explorer.state.removed), "nothing to do again")

    def _step(self, found: tuple[Steps, Removed] | None, otherwise: str) -> None:
        if found is None:
            self.explorer.say(otherwise)
        else:
            self._steps, removed = found
            self._removed(removed)

    def action_presets(self) -> None:
        from tui.explorer.presets import Grid
        from tui.explorer.screens.presets import PresetsDialog

        state = self.explorer.state
        if not state.players:
            self.explorer.say(self.explorer.state.not_open)
            return

        def remove(removed: Removed | None) -> None:
            if removed is not None:
                self._remove(removed)

        chosen = self.query_one(LayerGrid).selection
        self.app.push_screen(PresetsDialog(Grid(state.players, state.removed, chosen, state.shown_charts)), remove)

    def action_go_to(self) -> None:
        from tui.explorer.screens.go_to import GoToDialog

        grid = self.query_one(LayerGrid)
        if not self.explorer.state.players:
            self.explorer.say(self.explorer.state.not_open)
            return

        def go(player: int | None) -> None:
            if player is not None:
                grid.go_to(player)

        self.app.push_screen(GoToDialog(self.explorer.state.players, grid.cursor), go)

    def action_open(self) -> None:
        from tui.explorer.screens.documents import DocumentsScreen

        scope = self._scope()
        if scope.task_id is None:
            self.explorer.say(self.explorer.state.not_open)
        else:
            self.app.push_screen(DocumentsScreen(self.explorer.store, scope, self.explorer.state.removed))

    def action_say(self) -> None:
        from tui.explorer.screens.say import SayScreen

        self.app.push_screen(SayScreen())

    def action_next_task(self) -> None:
        state = self.explorer.state
        keys = [] if state.bench is None else [task.key for task in state.bench.tasks]
        if state.task in keys:
            self.show_task(keys[(keys.index(state.task) + 1) % len(keys)])

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
            self.explorer.say(self.explorer.state.not_open)
            return

        def start(config: RunConfig | None) -> None:
            if config is not None:
                start_job(self, StartJob(config=config, command=run_command(config, self.explorer.store)))

        self.app.push_screen(RunDialog(bench, self.explorer.state.known_speed), start)

    def action_choose(self) -> None:
        from tui.explorer.screens.choose import ChooseDialog

        pending, refused = self.explorer.choices.pending, self.explorer.choices.refused
        if pending is not None:
            dialog = ChooseDialog(pending, is_pending=True)
        elif refused is not None:
            dialog = ChooseDialog(refused.config, refused.said)
        else:
            dialog = ChooseDialog(self.explorer.chosen)
        self.app.push_screen(dialog)

    def action_reload(self) -> None:
        bench = self.explorer.state.bench
        if bench is None:
            self.explorer.say(self.explorer.state.not_open)
        else:
            self.explorer.ask(Open(config=bench.config, by_hand=bench.by_hand))

    def action_jobs(self) -> None:
        from tui.explorer.screens.jobs import JobsScreen

        self.app.push_screen(JobsScreen())

    def action_results(self) -> None:
        from tui.explorer.screens.results import ResultsScreen

        explorer = self.explorer

        def keep(browsing: Browsing) -> None:
            explorer.keep(explorer.session.model_copy(update={"browsing": browsing}))

        self.app.push_screen(ResultsScreen(explorer.store, self._scope(), explorer.session.browsing, keep))

    def action_sql(self) -> None:
        from tui.explorer.screens.sql import SqlScreen

        self.app.push_screen(SqlScreen(self.explorer.store))

    def action_compare(self) -> None:
        from tui.explorer.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(self.explorer.session.comparing))

    def action_export(self) -> None:
        from tui.explorer.screens.export import ExportDialog

        self.app.push_screen(ExportDialog(self.explorer.store, self._scope(), table="ablation"))

    def _scope(self) -> Scope:
        """Return the scope of the charts."""
        bench, task = self.explorer.state.bench, self.explorer.state.bench_task
        if bench is None or task is None:
            return Scope()
        return Scope(bench.model_id, task.task_id, task.charted, bench.config.settings, own_question(bench.config))
