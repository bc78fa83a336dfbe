"""The desk: the workbench that is open, a board a task, and the evaluation of coalitions picked by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from core.coalitions.players import Removed
from core.coalitions.schedules import hand_picked
from core.config.run_config import RunConfig
from core.engine.intact_states import IntactStates
from core.engine.sweep import Breathe
from core.errors import CornerstoneError, InUseError
from core.evaluator.live_task import Board
from core.evaluator.protocol import Charts, Opened, Scored
from core.evaluator.write_behind import Keeper
from core.records.fingerprint import short_id
from core.records.records import Assignment, Writer
from core.study.events import ChunkRecorded
from core.study.plan import Schedule, own_question
from core.study.workbench import Narrate, Workbench, new_run, open_workbench
from core.tasks.prepare import PreparedTask

_INTACT_BYTES = 2**28
"""For the intact model's hidden states over the documents that say the first number."""

FIRST_DOCUMENTS = 16
"""A coalition picked by hand says a first number after this many."""


class Desk:
    """What is open. ``keeper`` gets every outcome, and through it the boards do."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._boards: tuple[Board, ...] = ()
        self._writers: tuple[Writer, ...] = ()
        self._run: str | None = None
        self._intact = IntactStates(_INTACT_BYTES)
        self.bench: Workbench | None = None

    def open(self, config: RunConfig, narrate: Narrate, breathe: Callable[[], None], *, keep: bool) -> Workbench:
        """Open what ``config`` names in place of what is open.

        Args:
            config: model, tasks and documents.
            narrate: told what takes long.
            breathe: called while the store is waited for; what it raises ends the attempt.
            keep: let the boards of what was open go on taking outcomes, for a job that is under way.

        Raises:
            CornerstoneError: it cannot be opened; what was open stays.
        """
        narrate("getting ready")
        bench = open_workbench(config, narrate, self.bench)
        known = {board.key: board for board in self._keeper.boards}
        boards = [self._board(_assignment(bench, task), bench, known, narrate, breathe) for task in bench.tasks]
        if self.bench is None or bench.model is not self.bench.model:
            self.close()
            self._intact = IntactStates(_INTACT_BYTES)
        self.bench, self._boards, self._writers = bench, tuple(boards), self._keeper.writers()
        kept = known if keep else {}
        self._keeper.boards = tuple({**kept, **{board.key: board for board in boards}}.values())
        return bench

    def opened(self) -> Opened | None:
        """What is open, for an explorer."""
        if self.bench is None:
            return None
        record = self.bench.model.record
        return Opened(
            config=self.bench.config,
            model=record,
            model_id=short_id(record.fingerprint),
            device=self.bench.device,
            tasks=tuple(board.bench_task for board in self._boards),
            writers=self._writers,
        )

    def offers(self, key: str) -> bool:
        """Whether a task is open."""
        return any(board.key == key for board in self._boards)

    def charts(self, *, every: bool) -> Iterator[Charts]:
        """What is known of each task, or of those that have outcomes since they were last asked for."""
        if self.bench is not None:
            for board in self._boards:
                if every or board.changed:
                    yield board.charts(self.bench.config.max_removed, own_question(self.bench.config))

    def evaluate(self, key: str, removed: Removed, breathe: Breathe) -> Iterator[Scored]:
        """Evaluate a coalition picked by hand on one task, a few documents first.

        Raises:
            CornerstoneError: the task is not open, or the model has no such player.
        """
        bench, found = self.bench, [i for i, board in enumerate(self._boards) if board.key == key]
        if bench is None or not found:
            raise CornerstoneError("that task is no longer open; choose it again")
        if any(number not in range(len(bench.model.players)) for number in removed):
            raise CornerstoneError(f"{bench.model.record.name} has only {len(bench.model.players)} players")
        board, task = self._boards[found[0]], bench.tasks[found[0]]
        total = len(task.documents)
        if (known := board.coalition(removed)) is not None:
            yield Scored(task=key, point=known, wanted=total, final=False)
        for count in sorted({min(FIRST_DOCUMENTS, total), total}):
            part = replace(task, documents=task.documents[:count])
            intact = self._intact if count <= FIRST_DOCUMENTS else None
            for recorded in self._evaluated(bench, board, part, removed, intact, breathe):
                point = board.coalition(removed)
                if point is not None and (recorded or count == total):
                    yield Scored(task=key, point=point, wanted=total, final=count == total and not recorded)
        if board.coalition(removed) is None:
            raise CornerstoneError(f"{task.record.name} has no score that is a mean over documents: nothing to show")

    def _evaluated(
        self,
        bench: Workbench,
        board: Board,
        part: PreparedTask,
        removed: Removed,
        intact: IntactStates | None,
        breathe: Breathe,
    ) -> Iterator[bool]:
        """Evaluate what is missing; true after each chunk, false at the end."""
        schedule = Schedule("toggled", tuple(hand_picked([removed])))
        if _lacks_any(board, _assignment(bench, part, schedule.coalitions)):
            for event in bench.study((part,), [schedule], intact).run(self._run_id(bench), self._keeper, breathe):
                if isinstance(event, ChunkRecorded):
                    yield True
        yield False

    def close(self) -> None:
        """No more coalitions will be picked on what is open."""
        if self._run is not None:
            self._keeper.finish(self._run, "finished")
            self._run = None

    def _board(
        self,
        assignment: Assignment,
        bench: Workbench,
        known: dict[str, Board],
        narrate: Narrate,
        breathe: Callable[[], None],
    ) -> Board:
        """A board of what is stored now: another program may have added to it, or removed the file."""
        board = Board(assignment, bench.model.players, bench.config.value)
        while True:
            try:
                self._keeper.fill(board, assignment)
            except InUseError as error:
                if board.key in known:
                    return known[board.key]  # it misses what others add meanwhile, and nobody waits
                narrate(f"{error}; waiting for it")
                breathe()
            else:
                return board

    def _run_id(self, bench: Workbench) -> str:
        """The run that hand-picked coalitions of this model are recorded under."""
        if self._run is None:
            run = new_run(bench.config, "cornerstone")
            self._keeper.begin(run)
            self._run = run.run_id
        return self._run


def _assignment(bench: Workbench, task: PreparedTask, coalitions: tuple[Removed, ...] = ()) -> Assignment:
    records = [document.record for document in task.documents]
    return Assignment(bench.model.record, task.record, task.data, records, coalitions)


def _lacks_any(board: Board, assignment: Assignment) -> bool:
    wanted = frozenset(assignment.coalitions)
    return any(there != wanted for there in board.evaluated(assignment).values())
