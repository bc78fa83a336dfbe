"""What the store has of a model and its tasks, as an explorer shows it before a model is loaded, or without one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from core.coalitions.players import Removed
from core.config.limit import Limit, documents_in
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.bench_task import told_apart
from core.evaluator.live_task import LiveTask
from core.evaluator.protocol import Charts, Opened, Scored
from core.records.fingerprint import short_id
from core.records.records import Assignment
from core.study.plan import charted
from store.file.database import reading
from store.reading.opened import StoredTasks, Wanted, read_opened
from store.recorder import StoreRecorder

_PATIENCE_S = 1.0
"""Another program writes for a moment at a time; who waits longer sees the evaluator's charts first."""


@dataclass(frozen=True, slots=True)
class StoredView:
    """The open tasks and their charts, as the evaluator would publish them, and the scores of stored coalitions."""

    opened: Opened
    charts: tuple[Charts, ...]
    tasks: tuple[LiveTask, ...]

    def score(self, task: str, removed: Removed) -> Scored | None:
        """Return the stored score of a coalition; None if nothing of it was stored when this was read."""
        for live_task in self.tasks:
            point = live_task.coalition(removed) if live_task.key == task else None
            if point is not None:
                wanted = documents_in(self.opened.by_hand, live_task.bench_task.size)
                return Scored(task=task, point=point, wanted=wanted, final=point.n >= wanted)
        return None


def read_view(
    store: Path, wanted: Wanted, by_hand: Limit = None, first: str | None = None, *, alone: bool = True
) -> StoredView | None:
    """Read what a store has of a model and its tasks; None if it has nothing of them.

    Args:
        store: the file of the store.
        wanted: the model and the tasks.
        by_hand: limits the documents of a coalition picked by hand; None for all that are wanted.
        first: read the values of this task alone, so that it is shown soon; of the first task if there is none of this
            key. None reads those of all.
        alone: the store has no evaluator, so that every run that is going on is one of another program. An evaluator
            tells itself which these are.

    Raises:
        CornerstoneError: there is no store, or it cannot be read just now.
    """
    with reading(store, _PATIENCE_S):  # what is opened again meanwhile is open at once
        found = read_opened(store, wanted, _PATIENCE_S)
        if found is None:
            return None
        recorder = StoreRecorder(store, _PATIENCE_S)
        view = _view(found, by_hand, recorder, first)
        if not alone:
            return view
        opened = view.opened.model_copy(update={"writers": recorder.writers()})
        return replace(view, opened=opened)


def _view(found: StoredTasks, by_hand: Limit, recorder: StoreRecorder, first: str | None) -> StoredView:
    config, model = found.config, found.assignments[0].model
    tasks = tuple(_task(assignment, config) for assignment in found.assignments)
    read = [task for task in tasks if first in {None, task.key}] or tasks[:1]
    for live_task, assignment in zip(tasks, found.assignments, strict=True):
        if live_task in read:
            live_task.load(recorder.values(assignment, live_task.column))
    opened = Opened(
        config=config,
        by_hand=config.limit if by_hand is None else by_hand,
        model=model,
        model_id=short_id(model.fingerprint),
        device="",
        tasks=told_apart([live_task.bench_task for live_task in tasks]),
    )
    asked = charted(config)
    return StoredView(opened, tuple(live_task.charts(*asked) for live_task in read), tasks)


def _task(assignment: Assignment, config: RunConfig) -> LiveTask:
    """Return a task by the value that is asked for, or else by its own."""
    players, draw = assignment.model.players, config.draw(assignment.data.size)
    try:
        return LiveTask(assignment, players, config.value, draw=draw)
    except CornerstoneError:
        return LiveTask(assignment, players, draw=draw)
