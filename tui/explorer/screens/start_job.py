"""Start a job, after a question if the same one runs or waits already."""

from __future__ import annotations

from core.evaluator.protocol import StartJob
from tui.drawing.plain import plain
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.screens.confirm import ConfirmDialog


def start_job(screen: ExplorerScreen, request: StartJob) -> None:
    """Ask the evaluator for a job. Whoever has asked for the same one is asked whether it is meant twice."""
    explorer = screen.explorer
    asked = (request.config, request.special)
    same = next((job for job in explorer.state.unfinished if (job.config, job.special) == asked), None)
    if same is None:
        explorer.ask(request)
        return

    def answer(yes: bool | None) -> None:
        if yes:
            explorer.ask(request)

    does = "waits" if same.state == "queued" else "runs"
    question = f"Job {same.job} is the same and {does} already: {plain(same.title)}. Start it once more?"
    screen.app.push_screen(ConfirmDialog(question, yes="once more", no="no"), answer)
