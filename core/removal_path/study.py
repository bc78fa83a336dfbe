"""A removal path on a real model and its tasks: the search, evaluated through the sweep and kept by the recorder.

What is stored is not evaluated again, so the same command after a stop finds its way back without work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.coalitions.grouping import Grouping, grouping
from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.engine.parameters import parameters_of
from core.records.fingerprint import short_id
from core.records.records import Assignment, Recorder
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow, Told, path_rows
from core.removal_path.search import Measured, Step, greedy_path
from core.removal_path.watcher import Watcher
from core.statistics.intervals import FloatArray
from core.study.plan import Schedule
from core.study.workbench import Narrate, Workbench, new_run, open_workbench
from core.summaries.summarize import chance_of
from core.tasks.prepare import Document, PreparedTask
from core.values.of_task import checked_value

_GOLD_LOGPROB = "gold_logprob"


@dataclass(frozen=True, slots=True)
class Found:
    """A path: its steps, and as rows. ``run`` is under which the store has it; ``bench`` holds the model."""

    run: str
    bench: Workbench
    steps: tuple[Step, ...]
    rows: tuple[PathRow, ...]


def find_path(config: RunConfig, request: PathRequest, command: str, recorder: Recorder, watcher: Watcher) -> Found:
    """Search a path and evaluate it on documents that did not choose it, where there are any.

    The documents that choose it are those of a run with the same ``limit``; held out are as many that come after them.

    Args:
        config: the model, tasks and documents; its schedules count for nothing.
        request: of the path.
        command: how it was asked for, kept with the run.
        recorder: keeps the outcomes.
        watcher: is told on the way.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had.
    """
    request.refuse_nonsense()
    twice = config.limit is not None and request.held_out
    bench = open_workbench(
        config.model_copy(update={"limit": config.limit * 2}) if twice and config.limit is not None else config,
        watcher.narrate,
    )
    for task in bench.tasks:
        checked_value(task.record, [document.record for document in task.documents], request.value)
    units = grouping(request.players, bench.model.players)
    choosing = tuple(replace(task, documents=task.documents[: config.limit]) for task in bench.tasks)
    others = tuple(_rest(task, chosen) for task, chosen in zip(bench.tasks, choosing, strict=True))
    run = new_run(config, command)
    recorder.begin(run)
    finished = False
    try:
        evaluation = _Evaluation(bench, request.value, run.run_id, recorder, watcher)
        steps: list[Step] = []
        rows: list[PathRow] = []
        for step in evaluation.path(choosing, units, request.steps):
            steps.append(step)
            told = _told(bench, choosing, units, request.value)
            new = path_rows([step], [step.measured], "chosen by these", told, steps[0].measured)
            watcher.stepped(new)
            rows += new
        if request.held_out and _are_there(others, config, watcher.narrate):
            found = evaluation("the path on documents held out", others, [step.removed for step in steps])
            measured = [found[step.removed] for step in steps]
            told = _told(bench, others, units, request.value)
            rows += path_rows(steps, measured, "held out", told, found[()])
        finished = True
    finally:
        recorder.finish(run.run_id, "finished" if finished else "stopped")
    return Found(run.run_id, bench, tuple(steps), tuple(rows))


class _Evaluation:
    """Evaluates coalitions on some tasks through the sweep, and reads their values back from the recorder."""

    def __init__(self, bench: Workbench, value: str, run_id: str, recorder: Recorder, watcher: Watcher) -> None:
        self._bench = bench
        self._value = value
        self._run_id = run_id
        self._recorder = recorder
        self._watcher = watcher

    def path(self, tasks: tuple[PreparedTask, ...], units: Grouping, steps: int) -> Iterator[Step]:
        """The greedy path that these documents choose."""
        number = 0

        def evaluate(coalitions: Sequence[Removed]) -> dict[Removed, Measured]:
            nonlocal number
            number += 1
            return self(f"step {number} of the path", tasks, coalitions)

        return greedy_path(evaluate, [unit.members for unit in units.units], steps)

    def __call__(
        self, name: str, tasks: tuple[PreparedTask, ...], coalitions: Sequence[Removed]
    ) -> dict[Removed, Measured]:
        schedule = Schedule(name, tuple(coalitions))
        study = self._bench.study(tasks, [schedule])
        for event in study.run(self._run_id, self._recorder, self._watcher.breathe):
            self._watcher.follow(event)
        values = [self._read(task, coalitions, self._value) for task in tasks]
        logprobs = values if self._value == _GOLD_LOGPROB else [self._read(t, coalitions, _GOLD_LOGPROB) for t in tasks]
        return {
            removed: Measured(tuple(one[removed] for one in values), tuple(one[removed] for one in logprobs))
            for removed in coalitions
        }

    def _read(self, task: PreparedTask, coalitions: Sequence[Removed], value: str) -> dict[Removed, FloatArray]:
        records = [document.record for document in task.documents]
        stored = self._recorder.values(
            Assignment(self._bench.model.record, task.record, task.data, records, coalitions), value
        )
        place = {key: at for at, key in enumerate(stored.keys)}
        columns = [place[record.key] for record in records]
        row = {removed: at for at, removed in enumerate(stored.removed)}
        return {removed: stored.values[row[removed]][columns] for removed in coalitions}


def _rest(task: PreparedTask, chosen: PreparedTask) -> PreparedTask:
    """The documents that come after those chosen, without any that says the same as one of them."""
    known = {document.record.key for document in chosen.documents}
    rest = task.documents[len(chosen.documents) :]
    return replace(task, documents=tuple(document for document in rest if document.record.key not in known))


def _are_there(others: Sequence[PreparedTask], config: RunConfig, narrate: Narrate) -> bool:
    """Whether every task has documents that did not choose the path; tells what is to be made of it."""
    for task in others:
        if not task.documents:
            narrate(
                f"the path was chosen on all documents of {task.record.name}, so its scores are too good and nothing "
                "is held out to correct them; --limit leaves some"
            )
            return False
        if config.limit is not None and len(task.documents) < config.limit:
            narrate(f"{task.record.name} has only {len(task.documents)} more documents to hold out")
    return True


def _told(bench: Workbench, tasks: Sequence[PreparedTask], units: Grouping, value: str) -> Told:
    def parameters(removed: Removed) -> tuple[int, int]:
        counted = parameters_of(bench.model.model, bench.model.family, removed)
        return counted.removed, counted.total

    record = bench.model.record
    return Told(
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
