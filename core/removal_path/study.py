"""Search a removal path on a real model and its tasks: a study evaluates each step, a recorder keeps the outcomes.

Stored outcomes are not evaluated again. So the same command, given after a stop, repeats no work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.coalitions.grouping import Grouping, grouping
from core.coalitions.players import Removed
from core.config.limit import documents_in
from core.config.run_config import RunConfig
from core.engine.parameters import parameters_of
from core.records.fingerprint import short_id
from core.records.records import Assignment, Recorder
from core.removal_path.path_listener import PathListener
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathContext, PathRow, path_rows
from core.removal_path.search import Measured, Step, greedy_path
from core.statistics.intervals import FloatArray
from core.study.plan import Schedule
from core.study.recorded_run import recorded_run
from core.study.workbench import Crewing, Workbench, for_driver, new_run, open_workbench
from core.summaries.summarize import chance_of
from core.tasks.prepare import Document, PreparedTask
from core.values.corpus import refuse_corpus_value
from core.values.of_task import resolve
from core.workers.hired import with_workers

_GOLD_LOGPROB = "gold_logprob"


@dataclass(frozen=True, slots=True)
class Found:
    """A path: its steps, and the same as rows. ``run`` identifies it in the store; ``bench`` holds the model."""

    run: str
    bench: Workbench
    steps: tuple[Step, ...]
    rows: tuple[PathRow, ...]


def find_path(
    config: RunConfig,
    request: PathRequest,
    command: str,
    recorder: Recorder,
    listener: PathListener,
    last: Workbench | None = None,
    crewing: Crewing = with_workers,
) -> Found:
    """Search a path and evaluate it on documents that did not choose it, where there are any.

    The documents that choose it are those of a run with the same ``limit``; held out are as many that come after them.

    Args:
        config: the model, tasks and documents; its schedules and its value are ignored.
        request: the settings of the search.
        command: the command that asked for it, recorded with the run.
        recorder: keeps the outcomes.
        listener: follows the search.
        last: a workbench whose model and tasks are used again where they are the same.
        crewing: hires the workers that the configuration asks for.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had.
    """
    request.refuse_nonsense()
    wanted = _with_held_out(config, request)
    bench = open_workbench(wanted if last is not None else for_driver(wanted), listener, last)
    value = _common_value(bench.tasks, request.value)
    request.model_copy(update={"value": value}).refuse_nonsense()  # the task's own value may be no score
    units = grouping(request.players, bench.model.players)
    choosing = tuple(task.first(config.limit) for task in bench.tasks)
    others = tuple(_rest(task, chosen) for task, chosen in zip(bench.tasks, choosing, strict=True))
    with (
        crewing(bench, config, listener) as crewed,
        recorded_run(recorder, new_run(config, command)) as run_id,
    ):
        evaluation = _Evaluation(crewed, value, run_id, recorder, listener)
        steps, rows = _search(evaluation, choosing, units, request.steps)
        if request.held_out and _are_there(others, config, listener):
            found = evaluation("the path on documents held out", others, [step.removed for step in steps])
            measured = [found[step.removed] for step in steps]
            rows += path_rows(steps, measured, "held out", _context(bench, others, units, value), found[()])
    return Found(run_id, bench, tuple(steps), tuple(rows))


def task_ids(bench: Workbench) -> tuple[str, ...]:
    """Return the ids of open tasks, which tell apart tasks of the same name in a store."""
    return tuple(short_id(task.record.fingerprint, task.data.fingerprint) for task in bench.tasks)


def _with_held_out(config: RunConfig, request: PathRequest) -> RunConfig:
    """Return the configuration that reads twice as many documents, where a half is to be held out."""
    if config.limit is None or not request.held_out:
        return config
    twice = config.limit * 2
    return config.model_copy(update={"limit": None if config.limit < 1 <= twice else twice})


def _common_value(tasks: Sequence[PreparedTask], asked: str | None) -> str:
    """Return the value that the path keeps high: the one asked for, else the first task's own.

    Raises:
        CornerstoneError: a task does not have it, so there is no mean over tasks.
    """
    first, *rest = tasks
    value = resolve(first.record, first.document_records, asked)
    refuse_corpus_value(value, "a removal path")
    for task in rest:
        resolve(task.record, task.document_records, value)
    return value


class _Evaluation:
    """Evaluates coalitions on some tasks by a study, and reads their values back from the recorder."""

    def __init__(self, bench: Workbench, value: str, run_id: str, recorder: Recorder, listener: PathListener) -> None:
        self.bench = bench
        self.value = value
        self.listener = listener
        self._run_id = run_id
        self._recorder = recorder

    def __call__(
        self, name: str, tasks: tuple[PreparedTask, ...], coalitions: Sequence[Removed]
    ) -> dict[Removed, Measured]:
        study = self.bench.study(tasks, [Schedule(name, tuple(coalitions))], value=self.value)
        for event in study.run(self._run_id, self._recorder, self.listener):
            self.listener.on_event(event)
        values = [self._read(task, coalitions, self.value) for task in tasks]
        logprobs = values if self.value == _GOLD_LOGPROB else [self._read(t, coalitions, _GOLD_LOGPROB) for t in tasks]
        return {
            removed: Measured(tuple(one[removed] for one in values), tuple(one[removed] for one in logprobs))
            for removed in coalitions
        }

    def _read(self, task: PreparedTask, coalitions: Sequence[Removed], value: str) -> dict[Removed, FloatArray]:
        stored = self._recorder.values(Assignment.of(self.bench.model.record, task, coalitions), value)
        return stored.aligned([document.key for document in task.document_records]).by_removed


def _search(
    evaluation: _Evaluation, tasks: tuple[PreparedTask, ...], units: Grouping, most: int
) -> tuple[list[Step], list[PathRow]]:
    """Take at most ``most`` steps of the greedy path that these documents choose."""
    steps: list[Step] = []
    rows: list[PathRow] = []

    def evaluate(coalitions: Sequence[Removed]) -> dict[Removed, Measured]:
        return evaluation(f"step {max(1, len(steps))} of the path", tasks, coalitions)

    context = _context(evaluation.bench, tasks, units, evaluation.value)
    for step in greedy_path(evaluate, [unit.members for unit in units.units], most):
        steps.append(step)
        new = path_rows([step], [step.measured], "chosen by these", context, steps[0].measured)
        evaluation.listener.on_step(new)
        rows += new
    return steps, rows


def _rest(task: PreparedTask, chosen: PreparedTask) -> PreparedTask:
    """Return the documents that come after those chosen, without those whose content is that of a chosen one."""
    known = {document.record.key for document in chosen.documents}
    rest = task.documents[len(chosen.documents) :]
    return replace(task, documents=tuple(document for document in rest if document.record.key not in known))


def _are_there(others: Sequence[PreparedTask], config: RunConfig, listener: PathListener) -> bool:
    """Return whether every task has documents that did not choose the path; narrate where they are too few."""
    for task in others:
        if not task.documents:
            listener.narrate(
                f"the path was chosen on all documents of {task.record.name}, so its scores are too good and nothing "
                "is held out to correct them; a limit leaves some"
            )
            return False
        if config.limit is not None and len(task.documents) < documents_in(config.limit, task.data.size):
            listener.narrate(f"{task.record.name} has only {len(task.documents)} more documents to hold out")
    return True


def _context(bench: Workbench, tasks: Sequence[PreparedTask], units: Grouping, value: str) -> PathContext:
    def parameters(removed: Removed) -> tuple[int, int]:
        counted = parameters_of(bench.model.model, bench.model.layout, removed)
        return counted.removed, counted.total

    record = bench.model.record
    return PathContext(
        model=record.name,
        model_id=short_id(record.fingerprint),
        tasks=tuple(task.record.name for task in tasks),
        value=value,
        grouping=units,
        chances=tuple(_chance(task.documents, value) for task in tasks),
        parameters=parameters,
    )


def _chance(documents: Sequence[Document], value: str) -> float | None:
    return chance_of(np.array([len(document.record.choices) for document in documents], dtype=np.float64), value)
