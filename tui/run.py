"""`cornerstone run`: a study in this process, its tables on stdout, its progress on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from core.config import RunConfig
from core.events import PhaseFinished, StudyEvent
from store.groups import short_id
from store.results import Results, Selection
from tui.chart import ablation_chart
from tui.progress import progress_on
from tui.report import ablation_table, ablation_title, top_players
from tui.text import plain

Study = Callable[[Callable[[str], None]], Iterator[StudyEvent]]
"""A study that narrates what takes long."""


def run(config: RunConfig, command: str) -> NoReturn:
    """Become the program that does what ``config`` asks.

    It takes this one's place, process and terminal included, so that torch is never loaded beside an explorer.

    Args:
        config: what to do.
        command: how it was asked for, to be kept with the run.
    """
    print("getting ready (about 10 s)", file=sys.stderr, flush=True)
    debug = ["--debug"] if "--debug" in sys.argv else []
    arguments = ["run", config.model_dump_json(), command, *debug]
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tui.evaluate", *arguments])


def show_run(path: Path, study: Study) -> None:
    """Do a study that is stored in ``path``, and print what it found, phase by phase."""
    err = Console(stderr=True, markup=False, highlight=False)
    out = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 100)

    def narrate(text: str) -> None:
        err.print(plain(text), soft_wrap=True)

    results = Results(path)
    progress = progress_on(err, narrate)
    try:
        for event in study(narrate):
            progress.show(event)
            if isinstance(event, PhaseFinished):
                _print_phase(event, results, out)
    except KeyboardInterrupt:
        progress.close()
        narrate(f"stopped; what was evaluated is stored in {path}, and the same command goes on from there")
        sys.exit(130)
    finally:
        progress.close()
    narrate(f"stored in {path}; `cornerstone results ablation --format csv` exports it")


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
