"""`cornerstone run`: a study in this process, its tables on stdout, its progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import typer
from rich.console import Console

from core.config import RunConfig
from core.events import PhaseFinished, StudyEvent
from core.records import Recorder
from store.database import default_path
from store.groups import short_id
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tui.chart import ablation_chart
from tui.progress import progress_on
from tui.report import ablation_table, ablation_title, top_players
from tui.text import plain

StartStudy = Callable[[RunConfig, str, Recorder, Callable[[str], None]], Iterator[StudyEvent]]


def run(config: RunConfig, command: str, start: StartStudy | None = None) -> None:
    """Run a study and print what it found, phase by phase.

    Args:
        config: what to do.
        command: how it was asked for, to be kept with the run.
        start: begins the study; by default the real one.
    """
    path = config.store or default_path()
    err = Console(stderr=True, markup=False, highlight=False)
    out = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 100)

    def narrate(text: str) -> None:
        err.print(plain(text), soft_wrap=True)

    narrate("getting ready (about 10 s)")
    begin = start or _real_study()
    results = Results(path)
    progress = progress_on(err, narrate)
    try:
        for event in begin(config, command, StoreRecorder(path), narrate):
            progress.show(event)
            if isinstance(event, PhaseFinished):
                _print_phase(event, results, out)
    except KeyboardInterrupt:
        progress.close()
        narrate(f"stopped; what was evaluated is stored in {path}, and the same command goes on from there")
        raise typer.Exit(130) from None
    finally:
        progress.close()
    narrate(f"stored in {path}; `cornerstone results ablation --format csv` exports it")


def _real_study() -> StartStudy:
    from tui.headless import run_study

    return run_study


def _print_phase(event: PhaseFinished, results: Results, out: Console) -> None:
    phase = event.phase
    if "acc" not in phase.task.mean_metrics:
        return
    task_id = short_id(phase.task.fingerprint, phase.data.fingerprint)
    selection = Selection(model=short_id(phase.model.fingerprint), task=task_id)
    if phase.schedule.startswith("hand"):
        for row in results.coalitions(selection).rows:
            out.print(f"{phase.task.name} removed={list(row.removed)} n={row.n} acc={row.acc:.3f}")
        return
    if phase.schedule == "ablation":
        rows = results.ablation(selection).rows
        out.print(ablation_title(rows), soft_wrap=True)
        out.print(ablation_table(rows))
        return
    out.print(ablation_chart(results.ablation(selection).rows, colour=out.is_terminal), soft_wrap=True)
    size = int(phase.schedule.rsplit(" ", 1)[-1])
    out.print(top_players(results.shapley(selection, estimator="window-first", max_removed=size).rows), soft_wrap=True)
    out.print()
