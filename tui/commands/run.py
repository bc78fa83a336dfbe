"""`cornerstone run`: a study in this process, its tables on stdout, its progress on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig
from core.estimators.question import Question
from core.records.fingerprint import short_id
from core.study.events import ChunkRecorded, Phase, PhaseFinished, PhaseStarted, StudyEvent
from store.file.location import store_option
from store.results import Results, Selection
from tui.commands.phase_report import ablation_table, ablation_title, coalition_table, coalition_title, top_players
from tui.commands.progress import progress_on
from tui.commands.signals import exit_code, terminable
from tui.drawing.ablation_chart import ablation_chart
from tui.drawing.plain import counted, plain
from tui.worker_process import become

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
    reached: PhaseStarted | ChunkRecorded | None = None
    try:
        with terminable(), closing(study(narrate, progress.advance)) as events:
            for event in events:
                progress.show(event)
                if isinstance(event, PhaseStarted | ChunkRecorded):
                    reached = event
                elif isinstance(event, PhaseFinished):
                    _print_phase(event.phase, results, out, narrate)
    except KeyboardInterrupt as stop:
        progress.close()
        narrate(f"stopped {_how_far(reached, path)}")
        sys.exit(exit_code(stop))
    finally:
        progress.close()
    if event is not None:
        narrate(f"stored in {path}; `{_export_command(event.phase, path)}` exports it")


def _how_far(last: PhaseStarted | ChunkRecorded | None, path: Path) -> str:
    """What a run that stopped after an event leaves behind."""
    match last:
        case None:
            return "before anything was evaluated"
        case PhaseStarted(phase, done) | ChunkRecorded(phase, done):
            what = f"{done} of {counted(phase.total, 'outcome')} of {phase.schedule} on {phase.task.name}"
            return f"with {what} stored in {path}; the same command goes on from there"


def _print_phase(phase: Phase, results: Results, out: Console, narrate: Narrate) -> None:
    """What the run asked for, and nothing else that the store holds."""
    if phase.value == "acc" and "acc" not in phase.task.mean_metrics:
        narrate(f"{phase.task.name} has no accuracy to show; `cornerstone results outcomes` has every document")
        return
    task_id = short_id(phase.task.fingerprint, phase.data.fingerprint)
    selection = Selection(short_id(phase.model.fingerprint), task_id, phase.run)
    question = phase.question
    if question is None:
        picked = results.coalitions(selection, phase.value).rows
        out.print(coalition_title(picked), soft_wrap=True)
        out.print(coalition_table(picked))
        return
    if question.players == SUBLAYERS and question.estimator == "leave-one-out":
        rows = results.ablation(selection, phase.value).rows
        out.print(ablation_title(rows), soft_wrap=True)
        out.print(ablation_table(rows))
        return
    if question.players == SUBLAYERS and question.estimator == "window-first" and phase.value == "acc":
        out.print(ablation_chart(results.ablation(selection).rows, colour=out.is_terminal), soft_wrap=True)
    shapley = results.answers([question], selection, phase.value)
    for sentence in (*shapley.gaps, *shapley.notes):
        narrate(sentence)
    if shapley.rows:
        out.print(top_players(shapley.rows), soft_wrap=True)
        out.print()


def _export_command(phase: Phase, path: Path) -> str:
    """The command that exports what the last phase of a run made."""
    parts = ["cornerstone", "results"]
    match phase.question:
        case None:
            parts += ["coalitions"]
        case Question("leave-one-out", players) if players == SUBLAYERS:
            parts += ["ablation"]
        case question:
            parts += ["shapley", *_options(question)]
    if phase.question is not None and phase.value != "acc":
        parts += ["--value", phase.value]
    return shlex.join([*parts, "--run", phase.run, *store_option(path), "--format", "csv"])


def _options(question: Question) -> list[str]:
    """What tells a question from the one that `results shapley` answers by default."""
    parts = []
    if question.estimator == "window-first":
        parts += ["--max-removed", str(question.max_removed)]
    else:
        parts += ["--estimator", question.estimator]
    if question.players != SUBLAYERS:
        parts += ["--players", question.players]
    if question.estimator == "permutation":
        parts += ["--permutations", str(question.permutations), "--seed", str(question.seed)]
        parts += ["--tolerance", f"{question.tolerance:g}"]
    return parts
