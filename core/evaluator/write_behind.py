"""Keeping outcomes without waiting for the store: they queue in memory and are written when the file is free."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.coalitions.players import Removed
from core.errors import CornerstoneError, InUseError
from core.evaluator.live_task import Board
from core.records.records import Assignment, Outcome, Recorder, RunRecord, RunState, StoredValues, Writer

_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class _Write:
    do: Callable[[], None]
    assignment: Assignment | None = None
    outcomes: Sequence[Outcome] = ()


class Keeper:
    """A recorder before the recorder: returns at once, and writes in order from a thread of its own.

    What is asked of it is answered from the boards where they know. A write that fails is tried again until it works,
    so a full disk or a locked file delays outcomes and loses none; ``trouble`` says what is in the way.
    """

    def __init__(self, recorder: Recorder, on_change: Callable[[], None]) -> None:
        self._recorder = recorder
        self._on_change = on_change
        self._writes: deque[_Write] = deque()
        self._changed = threading.Condition()
        self._closing: float | None = None
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._write_all, name="keeper", daemon=True)
        self.boards: tuple[Board, ...] = ()
        self.trouble = ""
        self._thread.start()

    @property
    def unsaved(self) -> int:
        """Outcomes that wait to be written."""
        with self._changed:
            return sum(len(write.outcomes) for write in self._writes)

    def begin(self, run: RunRecord) -> None:
        self._put(_Write(lambda: self._recorder.begin(run)))

    def assign(self, run_id: str, assignment: Assignment) -> None:
        self._put(_Write(lambda: self._recorder.assign(run_id, assignment)))

    def finish(self, run_id: str, state: RunState) -> None:
        self._put(_Write(lambda: self._recorder.finish(run_id, state)))

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        for board in self.boards:
            board.add(assignment, outcomes)
        self._put(_Write(lambda: self._recorder.record(run_id, assignment, outcomes), assignment, outcomes))

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        board = next((board for board in self.boards if board.holds(assignment)), None)
        return self._recorder.stored(assignment) if board is None else board.evaluated(assignment)

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        known = (board for board in self.boards if board.metric == metric and board.holds(assignment))
        board = next(known, None)
        if board is None:
            board = Board(assignment, (), metric)
            self.fill(board, assignment)
        return board.values(assignment)

    def fill(self, board: Board, assignment: Assignment) -> None:
        """Put on a board what is stored of an assignment's documents, and what waits to be.

        Raises:
            CornerstoneError: the store cannot be read, or is in use.
        """
        with self._changed:  # before reading: what is written meanwhile is in both, and not in neither
            waiting = list(self._writes)
        board.load(self._recorder.values(assignment, board.metric))
        for write in waiting:
            if write.assignment is not None:
                board.add(write.assignment, write.outcomes)

    def writers(self) -> tuple[Writer, ...]:
        """Who else writes to the store; nobody where that cannot be told, as it is in use."""
        try:
            return self._recorder.writers()
        except InUseError:
            return ()

    def close(self, patience: float) -> int:
        """Write what waits; how many outcomes could not be written, as the store could not for ``patience`` seconds.

        When it returns nothing is being written.
        """
        with self._changed:
            self._closing = time.monotonic() + patience
            self._changed.notify()
        self._thread.join()
        return self.unsaved

    def _put(self, write: _Write) -> None:
        if self._broken is not None:
            raise RuntimeError("outcomes can no longer be stored") from self._broken
        with self._changed:
            self._writes.append(write)
            self._changed.notify()

    def _write_all(self) -> None:
        while (write := self._next()) is not None:
            try:
                write.do()
            except CornerstoneError as error:
                self._say(str(error))
                if self._closing is not None and time.monotonic() > self._closing:
                    return
                time.sleep(_PAUSE_S)
                continue
            except Exception as error:  # noqa: BLE001 a fault of ours: it must end the job, not this thread in silence
                self._broken = error
                self._say(f"outcomes can no longer be stored: {error!r}")
                return
            with self._changed:
                self._writes.popleft()
            self._say("")

    def _next(self) -> _Write | None:
        """The next write, left in the queue until it is done; None when there will be no more."""
        with self._changed:
            while not self._writes:
                if self._closing is not None:
                    return None
                self._changed.wait()
            return self._writes[0]

    def _say(self, trouble: str) -> None:
        self.trouble = trouble
        self._on_change()
