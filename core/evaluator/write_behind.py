"""Write-behind queue in front of the store: calls return immediately, a background thread writes in order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.coalitions.players import Removed
from core.errors import CornerstoneError, InUseError
from core.evaluator.live_task import LiveTask
from core.records.records import Assignment, Outcome, Recorder, RunRecord, RunState, StoredValues, Writer
from core.values.value_table import ValueTable

_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class _Write:
    do: Callable[[], None]
    assignment: Assignment | None = None
    outcomes: Sequence[Outcome] = ()


class WriteBehindRecorder:
    """A recorder whose calls return at once; a thread writes to the recorder behind it, in order.

    It asks the live tasks for stored outcomes first, and the recorder behind it for the rest. A write that fails is
    tried again until it works. So a full disk or a locked file delays outcomes and loses none. ``trouble`` is the
    error of the last write, None if it worked.
    """

    def __init__(self, recorder: Recorder, on_change: Callable[[], None]) -> None:
        """Start the thread.

        Args:
            recorder: the recorder to write to.
            on_change: called from the thread after each write that works or fails.
        """
        self._recorder = recorder
        self._on_change = on_change
        self._writes: deque[_Write] = deque()
        self._changed = threading.Condition()
        self._closing: float | None = None
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._write_all, name="write-behind", daemon=True)
        self.live_tasks: tuple[LiveTask, ...] = ()
        self.trouble: CornerstoneError | None = None
        self._thread.start()

    @property
    def unsaved(self) -> int:
        """How many outcomes wait to be written."""
        with self._changed:
            return sum(len(write.outcomes) for write in self._writes)

    def begin(self, run: RunRecord) -> None:
        self._put(_Write(lambda: self._recorder.begin(run)))

    def assign(self, run_id: str, assignment: Assignment) -> None:
        self._put(_Write(lambda: self._recorder.assign(run_id, assignment)))

    def finish(self, run_id: str, state: RunState) -> None:
        self._put(_Write(lambda: self._recorder.finish(run_id, state)))

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        for live_task in self.live_tasks:
            live_task.add(assignment, outcomes)
        self._put(_Write(lambda: self._recorder.record(run_id, assignment, outcomes), assignment, outcomes))

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        for live_task in self.live_tasks:
            if live_task.holds(assignment):
                return live_task.evaluated(assignment)
        return self._recorder.stored(assignment)

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        for live_task in self.live_tasks:
            if live_task.column == metric and live_task.holds(assignment):
                return live_task.values(assignment)
        table = ValueTable(assignment.documents, metric, assignment.task.mean_metrics)
        stored, waiting = self._stored_and_waiting(assignment, metric)
        table.load(stored)
        for write in waiting:
            if write.assignment is not None and assignment.shares_outcomes(write.assignment):
                table.add(write.outcomes)
        return table.stored(assignment.documents)

    def fill(self, live_task: LiveTask, assignment: Assignment) -> None:
        """Load into a live task the outcomes of an assignment's documents that are stored or wait to be written.

        Raises:
            CornerstoneError: the store cannot be read, or is in use.
        """
        stored, waiting = self._stored_and_waiting(assignment, live_task.column)
        live_task.load(stored)
        for write in waiting:
            if write.assignment is not None:
                live_task.add(write.assignment, write.outcomes)

    def _stored_and_waiting(self, assignment: Assignment, metric: str) -> tuple[StoredValues, list[_Write]]:
        """Return the stored values, and the writes that waited before these were read.

        An outcome that is written meanwhile is in both. In the other order it might be in neither.
        """
        with self._changed:
            waiting = list(self._writes)
        return self._recorder.values(assignment, metric), waiting

    def writers(self) -> tuple[Writer, ...]:
        """Return the other runs that write to the store; none if the store is in use and cannot be read."""
        try:
            return self._recorder.writers()
        except InUseError:
            return ()

    def close(self, patience: float) -> int:
        """Write the outcomes that wait, and return how many outcomes could not be written within ``patience`` seconds.

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
                self._report(error)
                if self._closing is not None and time.monotonic() > self._closing:
                    return
                time.sleep(_PAUSE_S)
                continue
            except Exception as error:  # noqa: BLE001 a fault of ours: it must end the job, not this thread in silence
                self._broken = error
                self._report(CornerstoneError(f"outcomes can no longer be stored: {error!r}"))
                return
            with self._changed:
                self._writes.popleft()
            self._report(None)

    def _next(self) -> _Write | None:
        """Return the next write, left in the queue until it is done; None when there will be no more."""
        with self._changed:
            while not self._writes:
                if self._closing is not None:
                    return None
                self._changed.wait()
            return self._writes[0]

    def _report(self, trouble: CornerstoneError | None) -> None:
        self.trouble = trouble
        self._on_change()
