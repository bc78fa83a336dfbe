"""What the compare screen has the evaluator do: search a path, measure proxies, run what a view lacks."""

from __future__ import annotations

from core.config.run_config import RunConfig
from core.evaluator.protocol import StartJob
from core.proxies.request import MeasureProxies
from core.removal_path.request import PathRequest
from tui.drawing.command_line import path_command, proxies_command, run_command
from tui.drawing.plain import counted
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.start_job import start_job


def search_path(screen: ExplorerScreen) -> None:
    """Ask for the settings of a path, and have it searched."""
    from tui.explorer.screens.path import PathDialog

    explorer, bench = screen.explorer, screen.explorer.state.bench
    if bench is None:
        explorer.say(explorer.state.not_open)
        return

    def start(asked: tuple[RunConfig, PathRequest] | None) -> None:
        if asked is not None:
            config, request = asked
            command = path_command(config, request, explorer.store)
            start_job(screen, StartJob(config=config, command=command, special=request))

    screen.app.push_screen(PathDialog(bench), start)


def measure_proxies(screen: ExplorerScreen) -> None:
    """Ask whether proxies are to be measured, and have them measured."""
    explorer, bench = screen.explorer, screen.explorer.state.bench
    if bench is None:
        explorer.say(explorer.state.not_open)
        return
    alone = {"schedule": (), "remove": (), "until_top": None, "until_cost": None}
    config = bench.config.model_copy(update=alone)
    tasks = ", ".join(f"{task.shown_name} ({counted(task.documents, 'document')})" for task in bench.tasks)

    def answer(yes: bool | None) -> None:
        if yes:
            command = proxies_command(config, config.value, explorer.store)
            start_job(screen, StartJob(config=config, command=command, special=MeasureProxies(value=config.value)))

    question = f"Measure the proxies of {bench.model.name}, in one pass of the intact model over {tasks}?"
    screen.app.push_screen(ConfirmDialog(question, yes="measure", no="not now"), answer)


def fill(screen: ExplorerScreen, missing: RunConfig | None) -> None:
    """Ask whether a run is to fill what is ``missing``, and have it run."""
    explorer = screen.explorer
    if missing is None:
        explorer.say("nothing is missing here that a run could fill; r on the explorer runs schedules")
        return
    config, command = missing.model_copy(update={"store": None}), run_command(missing, explorer.store)

    def answer(yes: bool | None) -> None:
        if yes:
            start_job(screen, StartJob(config=config, command=command))

    screen.app.push_screen(ConfirmDialog(f"Run what is missing here? {command}", yes="run", no="not now"), answer)
