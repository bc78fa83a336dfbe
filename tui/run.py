"""`cornerstone run`: a study in this process, its tables on stdout, its progress on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from core.config import RunConfig
from core.events import ChunkRecorded, Phase, PhaseFinished, PhaseStarted, StudyEvent
from store.groups import short_id
from store.location import default_path
from store.results import Results, Selection
from tui.chart import ablation_chart
from tui.process import become
from tui.progress import progress_on
from tui.report import ablation_table, ablation_title, coalition_table, coalition_title, top_players
from tui.stopping import exit_code, terminable
from tui.text import counted, plain

Narrate = Callable[[str], None]
Study = Callable[[Narrate, Callable[[float], None]], Generator[StudyEvent, None, None]]
"""A study that narrates what takes long, and tells how many outcomes of the chunk in flight are done."""


def run(config: RunConfig, command: str) -> NoReturn:
    """Become the program that does what ``config`` asks.

    Args:
        config: what to do.
        command: how it was asked for, to be kept with the run.
    """
    print("getting ready (about 10 s)", file=sys.stderr, flush=True)
    become("run", config.model_dump_json(), command)


def show_run(path: Path, study: Study) -> None:
    """Do a study that is stored in ``path``, and print what it found, phase by phase."""
    err = Console(stderr=True, markup=False, highlight=False)
    out = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 100)

    def narrate(text: str) -> None:
        err.print(plain(text), soft_wrap=True)

    results = Results(path)
    progress = progress_on(err, narrate)
    event: StudyEvent | None = None
    try:
        with terminable(), closing(study(narrate, progress.advance)) as events:
            for event in events:
                progress.show(event)
                if isinstance(event, PhaseFinished):
                    _print_phase(event.phase, results, out, narrate)
    except KeyboardInterrupt as stop:
        progress.close()
        narrate(f"stopped {_how_far(event, path)}")
        sys.exit(exit_code(stop))
    finally:
        progress.close()
    if event is not None:
        narrate(f"stored in {path}; `{_export_command(event.phase, path)}` exports it")


def _how_far(last: StudyEvent | None, path: Path) -> str:
    """What a run that stopped after an event leaves behind."""
    match last:
        case None:
            return "before anything was evaluated"
        case PhaseStarted(phase, done) | ChunkRecorded(phase, done):
            pass
        case PhaseFinished(phase):
            done = phase.total
    what = f"{done} of {counted(phase.total, 'outcome')} of {phase.schedule} on {phase.task.name}"
    return f"with {what} stored in {path}; the same command goes on from there"


def _print_phase(phase: Phase, results: Results, out: Console, narrate: Narrate) -> None:
    """What the run asked for, and nothing else that the store holds."""
    if "acc" not in phase.task.mean_metrics:
        narrate(f"{phase.task.name} has no accuracy to show; `cornerstone results outcomes` has every document")
        return
    task_id = short_id(phase.task.fingerprint, phase.data.fingerprint)
    selection = Selection(short_id(phase.model.fingerprint), task_id, phase.run)
    if phase.schedule.startswith("hand"):
        picked = results.coalitions(selection).rows
        out.print(coalition_title(picked), soft_wrap=True)
        out.print(coalition_table(picked))
        return
    rows = results.ablation(selection).rows
    if phase.schedule == "ablation":
        out.print(ablation_title(rows), soft_wrap=True)
        out.print(ablation_table(rows))
        return
    out.print(ablation_chart(rows, colour=out.is_terminal), soft_wrap=True)
    size = int(phase.schedule.rsplit(" ", 1)[-1])
    out.print(top_players(results.shapley(selection, estimator="window-first", max_removed=size).rows), soft_wrap=True)
    out.print()


def _export_command(phase: Phase, path: Path) -> str:
    """The command that exports what the last phase of a run made."""
    parts = ["cornerstone", "results", "ablation"]
    if phase.schedule.startswith("hand"):
        parts[2] = "coalitions"
    elif phase.schedule.startswith("windows"):
        parts[2:] = ["shapley", "--max-removed", phase.schedule.rsplit(" ", 1)[-1]]
    parts += ["--run", phase.run]
    if path != default_path():
        parts += ["--store", str(path)]
    return shlex.join([*parts, "--format", "csv"])
