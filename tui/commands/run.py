"""`cornerstone run`: run a study, and print its tables on stdout and its progress on stderr."""

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
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Question
from core.estimators.setting import in_digits, settings_of
from core.estimators.windows import WindowFirst
from core.records.fingerprint import short_id
from core.study.events import ChunkRecorded, Phase, PhaseFinished, PhaseStarted, StudyEvent
from core.study.listener import Listener
from core.values.of_task import PREFERRED
from store.results import Results, Selection
from tui.commands.console_listener import ConsoleListener
from tui.commands.group_report import print_group
from tui.commands.phase_report import ablation_table, ablation_title, coalition_table, coalition_title, top_players
from tui.commands.signals import cause_of, exit_code, terminable
from tui.commands.stderr import GETTING_READY, narrate
from tui.commands.stdout import tables_console
from tui.drawing.ablation_chart import ablation_chart
from tui.drawing.command_line import option, store_option
from tui.drawing.gap_text import gap_texts, note_texts
from tui.drawing.plain import counted
from tui.worker_process import become

Study = Callable[[Listener], Generator[StudyEvent, None, None]]
"""Begins a study that a listener follows."""


def run(config: RunConfig, command: str, wait: float) -> NoReturn:
    """Become the program that runs a study.

    Args:
        config: the study.
        command: the command that asked for it, which is stored with the run.
        wait: how many seconds to wait while another program holds the store.
    """
    narrate(GETTING_READY)
    become("run", config.model_dump_json(), command, str(wait))


def show_run(path: Path, study: Study) -> None:
    """Run a study that is stored in ``path``, and print its results phase by phase."""
    out = tables_console()
    listener = ConsoleListener()
    results = Results(path, on_wait=listener.narrate)
    event: StudyEvent | None = None
    reached: PhaseStarted | ChunkRecorded | None = None
    of_group: list[Phase] = []
    try:
        with terminable() as listener.check, closing(study(listener)) as events:
            for event in events:
                listener.on_event(event)
                if isinstance(event, PhaseStarted | ChunkRecorded):
                    reached = event
                    of_group = _printed(of_group, event.phase, results, out, listener)
                elif isinstance(event, PhaseFinished):
                    if event.waiting:
                        listener.narrate(_not_shown(event, path))
                    elif event.phase.group is not None:
                        of_group.append(event.phase)
                    else:
                        _print_phase(event.phase, results, out, listener)
            _printed(of_group, None, results, out, listener)
    except KeyboardInterrupt as stop:
        listener.close()
        listener.narrate(f"stopped by {cause_of(stop)}, {_how_far(reached, path)}")
        sys.exit(exit_code(stop))
    finally:
        listener.close()
    if event is not None:
        listener.narrate(f"stored in {path}; `{_export_command(event.phase, path)}` exports it")


def _printed(
    phases: list[Phase], next_one: Phase | None, results: Results, out: Console, listener: Listener
) -> list[Phase]:
    """Print the phases on the tasks of a group once the next phase is of something else; return those that wait."""
    if phases and (next_one is None or (next_one.schedule, next_one.group) != (phases[0].schedule, phases[0].group)):
        print_group(phases, results, out, listener)
        return []
    return phases


def _how_far(last: PhaseStarted | ChunkRecorded | None, path: Path) -> str:
    """Return in words how far a run came that was stopped after an event."""
    match last:
        case None:
            return "before anything was evaluated"
        case PhaseStarted(phase, done) | ChunkRecorded(phase, done):
            what = f"{done} of {counted(phase.total, 'outcome')} of {phase.schedule} on {phase.task.name}"
            return f"with {what} kept for {path}; the same command goes on from there"


def _not_shown(finished: PhaseFinished, path: Path) -> str:
    name = f"{finished.phase.schedule} on {finished.phase.task.name}"
    return f"{name} is not shown: {counted(finished.waiting, 'outcome')} of this run wait for the store {path}"


def _print_phase(phase: Phase, results: Results, out: Console, listener: Listener) -> None:
    """Print the results that the run asked for, and no others of the store."""
    value, question = phase.value, phase.question
    if value is None:
        listener.narrate(f"{phase.task.name} has no score to show; `cornerstone results outcomes` has every document")
        return
    task_id = short_id(phase.task.fingerprint, phase.data.fingerprint)
    selection = Selection(short_id(phase.model.fingerprint), task_id, phase.run)
    if question is None:
        picked = results.coalitions(selection, value).rows
        out.print(coalition_title(picked), soft_wrap=True)
        out.print(coalition_table(picked))
        return
    if question == Question(LeaveOneOut()):
        rows = results.ablation(selection, value).rows
        out.print(ablation_title(rows), soft_wrap=True)
        out.print(ablation_table(rows))
        return
    windows = question.players == SUBLAYERS and question.estimator.name == WindowFirst.name
    if windows and (rows := results.ablation(selection, value).rows):
        out.print(ablation_chart(rows, colour=out.is_terminal), soft_wrap=True)
    shapley = results.answers([question], selection, value)
    for sentence in (*gap_texts(shapley.gaps, results.path), *note_texts([shapley], results.path)):
        listener.narrate(sentence)
    if shapley.rows:
        out.print(top_players(shapley.rows), soft_wrap=True)
        out.print()


def _export_command(phase: Phase, path: Path) -> str:
    """Return the command that exports the results of a phase."""
    parts = ["cornerstone", "results"]
    match phase.question:
        case _ if phase.value is None:  # no other table has anything
            parts += ["outcomes"]
        case None:
            parts += ["coalitions"]
        case question if question == Question(LeaveOneOut()):
            parts += ["ablation"]
        case Question() as question:
            parts += ["shapley", *_options(question)]
    if phase.value is not None and phase.value != PREFERRED:
        parts += ["--value", phase.value]
    return shlex.join([*parts, "--run", phase.run, *store_option(path), "--format", "csv"])


def _options(question: Question) -> list[str]:
    """Return the options with which `results shapley` answers this question instead of its default one."""
    estimator = question.estimator
    parts = [] if estimator.name == WindowFirst.name else ["--estimator", estimator.name]
    if question.players != SUBLAYERS:
        parts += ["--players", question.players]
    for setting in settings_of(type(estimator)):
        parts += option(setting.name, in_digits(getattr(estimator, setting.name)))
    return parts
