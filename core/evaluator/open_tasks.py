"""The tasks that are open: a workbench, a live task for each of its tasks, and coalitions picked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.coalitions.players import Removed
from core.coalitions.schedules import hand_picked
from core.config.limit import Limit
from core.config.run_config import RunConfig
from core.engine.intact_states import IntactStates
from core.errors import CornerstoneError, InUseError
from core.evaluator.bench_task import told_apart
from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.live_task import LiveTask
from core.evaluator.protocol import Charts, Opened, Scored
from core.records.fingerprint import short_id
from core.records.records import Assignment, RunRecord, Writer
from core.study.events import ChunkRecorded
from core.study.listener import Listener
from core.study.plan import Schedule, charted
from core.study.recorded_run import recorded_run
from core.study.study import Study
from core.study.workbench import Workbench, new_run, open_workbench
from core.tasks.prepare import PreparedTask
from core.workers.aside import AsideEvaluator

_INTACT_BYTES = 2**28
"""Memory for the intact model's hidden states over the ``FIRST_DOCUMENTS``."""

FIRST_DOCUMENTS = 16
"""Number of documents after which a coalition picked by hand gets its first score."""


class OpenTasks:
    """The open tasks and their recorder, which passes all outcomes on to the live tasks."""

    def __init__(self, recorder: LiveRecorder) -> None:
        self._recorder = recorder
        self._live_tasks: tuple[LiveTask, ...] = ()
        self._writers: tuple[Writer, ...] = ()
        self._hand_picked: tuple[RunConfig, RunRecord] | None = None
        self.by_hand: Limit = None
        """The limit on the documents of a coalition picked by hand."""
        self._intact = IntactStates(_INTACT_BYTES)
        self.aside: AsideEvaluator | None = None
        """Workers that evaluate what is picked by hand; None while there are none."""
        self.bench: Workbench | None = None
        self.notices: tuple[str, ...] = ()
        """Sentences about tasks that were not opened as requested."""

    def open(self, config: RunConfig, listener: Listener, *, keep: bool, by_hand: Limit = None) -> Workbench:
        """Open the model and tasks of ``config`` in place of those that are open.

        A task that lacks the value asked for is opened with its own, and ``notices`` says so.

        Args:
            config: model, tasks, documents and value.
            listener: gets sentences on slow work, and is called while the store is in use; it may end the attempt.
            keep: let the live tasks that were open go on taking outcomes, for a job that is under way.
            by_hand: limits the documents of a coalition picked by hand; None for all that are open.

        Raises:
            CornerstoneError: it cannot be opened; the open tasks stay open.
        """
        listener.narrate("getting ready")
        bench = open_workbench(config, listener, self.bench)
        known = {live_task.key: live_task for live_task in self._recorder.live_tasks}
        notices: list[str] = []
        opened = []
        for task in bench.tasks:
            assignment = Assignment.of(bench.model.record, task)
            opened.append(self._filled(_live_task(assignment, bench, notices), assignment, known, listener))
        if self.bench is None or bench.model is not self.bench.model:
            self._hand_picked = None
            self._intact = IntactStates(_INTACT_BYTES)
        self.bench, self._live_tasks, self._writers = bench, tuple(opened), self._recorder.writers()
        self.by_hand = config.limit if by_hand is None else by_hand
        self.notices = tuple(notices)
        kept = known if keep else {}
        self._recorder.live_tasks = tuple({**kept, **{live_task.key: live_task for live_task in opened}}.values())
        return bench

    def opened(self) -> Opened | None:
        """Return the event that describes the open tasks to an explorer; None if none is open."""
        if self.bench is None:
            return None
        record = self.bench.model.record
        return Opened(
            config=self.bench.config,
            by_hand=self.by_hand,
            model=record,
            model_id=short_id(record.fingerprint),
            device=self.bench.device,
            tasks=told_apart(
                [
                    live_task.bench_task.model_copy(update={"most_new": task.most_new})
                    for live_task, task in zip(self._live_tasks, self.bench.tasks, strict=True)
                ]
            ),
            writers=self._writers,
        )

    def offers(self, key: str) -> bool:
        """Return whether a task is open."""
        return any(live_task.key == key for live_task in self._live_tasks)

    def charts(self, *, every: bool) -> Iterator[Charts]:
        """Yield the charts of each task, or only of those with outcomes since their charts were last asked for."""
        if self.bench is not None:
            for live_task in self._live_tasks:
                if every or live_task.changed:
                    yield live_task.charts(*charted(self.bench.config))

    def evaluate(self, key: str, removed: Removed, listener: Listener) -> Iterator[Scored]:
        """Evaluate a coalition picked by hand on one task, a few documents first.

        Raises:
            CornerstoneError: the task is not open, or the model has no such player.
        """
        bench, found = self.bench, [i for i, live_task in enumerate(self._live_tasks) if live_task.key == key]
        if bench is None or not found:
            raise CornerstoneError("that task is no longer open; choose it again")
        if any(number not in range(len(bench.model.players)) for number in removed):
            raise CornerstoneError(f"{bench.model.record.name} has only {len(bench.model.players)} players")
        live_task, task = self._live_tasks[found[0]], bench.tasks[found[0]].first(self.by_hand)
        total = len(task.documents)
        if (known := live_task.coalition(removed)) is not None:
            yield Scored(task=key, point=known, wanted=total, final=False)
        for count in sorted({min(FIRST_DOCUMENTS, total), total}):
            part = replace(task, documents=task.documents[:count])
            for recorded in self._evaluated(bench, live_task, part, removed, listener):
                point = live_task.coalition(removed)
                if point is not None and (recorded or count == total):
                    yield Scored(task=key, point=point, wanted=total, final=count == total and not recorded)
        if live_task.coalition(removed) is None:
            raise CornerstoneError(f"{task.record.name} has no score that is a mean over documents: nothing to show")

    def _evaluated(
        self, bench: Workbench, live_task: LiveTask, part: PreparedTask, removed: Removed, listener: Listener
    ) -> Iterator[bool]:
        """Evaluate the missing outcomes; yield true after each chunk, false at the end."""
        schedule = Schedule("toggled", tuple(hand_picked([removed])))
        if _lacks_any(live_task, Assignment.of(bench.model.record, part, schedule.coalitions)):
            if self._recorder.stuck:
                raise CornerstoneError(self._recorder.status.sentence)
            study = self._study_of(bench, part, schedule)
            with recorded_run(self._recorder, self._run_by_hand(bench)) as run_id:
                for event in study.run(run_id, self._recorder, listener):
                    if isinstance(event, ChunkRecorded):
                        yield True
        yield False

    def _study_of(self, bench: Workbench, part: PreparedTask, schedule: Schedule) -> Study:
        """Return a study by one of the workers, where they have these documents, else by this process."""
        aside = self.aside
        if aside is not None and aside.record == bench.model.record and aside.takes(part):
            return bench.study((part,), [schedule], evaluator=aside)
        intact = self._intact if len(part.documents) <= FIRST_DOCUMENTS else None
        return bench.study((part,), [schedule], intact=intact)

    def _run_by_hand(self, bench: Workbench) -> RunRecord:
        """Return the run of what is picked by hand of these tasks and documents.

        It goes on with each coalition, so it is running only while one is evaluated.
        """
        config = bench.config.model_copy(update={"limit": self.by_hand})
        if self._hand_picked is None or _open_of(self._hand_picked[0]) != _open_of(config):
            self._hand_picked = config, new_run(config, "cornerstone")
        return self._hand_picked[1]

    def _filled(
        self, live_task: LiveTask, assignment: Assignment, known: dict[str, LiveTask], listener: Listener
    ) -> LiveTask:
        """Fill a live task with the values stored now: another program may have added some, or removed the file."""
        while True:
            try:
                self._recorder.fill(live_task, assignment)
            except InUseError as error:
                if live_task.key in known:
                    return known[live_task.key]  # it misses what others add meanwhile, and nobody waits
                listener.narrate(f"{error}; waiting for it")
                listener.on_batch(0)
            else:
                return live_task


def _live_task(assignment: Assignment, bench: Workbench, notices: list[str]) -> LiveTask:
    """Return a live task of the value that the workbench asks for, or of the task's own, which is added to notices."""
    draw = bench.config.draw(assignment.data.size)
    try:
        return LiveTask(assignment, bench.model.players, bench.config.value, draw=draw)
    except CornerstoneError as error:
        live_task = LiveTask(assignment, bench.model.players, draw=draw)
        notices.append(f"{error}, so it shows {live_task.column}")
        return live_task


def _open_of(config: RunConfig) -> tuple[object, ...]:
    """Return the tasks and documents of a configuration."""
    shots = config.num_fewshot, config.apply_chat_template
    return config.tasks, config.limit, config.order, config.seed, *shots


def _lacks_any(live_task: LiveTask, assignment: Assignment) -> bool:
    wanted = frozenset(assignment.coalitions)
    return any(there != wanted for there in live_task.evaluated(assignment).values())
