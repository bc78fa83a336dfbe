"""Write-behind recorder in front of the store: a thread writes in order, and a spool keeps what the store refuses."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.coalitions.players import Removed
from core.errors import CornerstoneError, InUseError
from core.recording.orphans import recover
from core.recording.status import Status, trouble_of
from core.recording.waiting import Waiting, WaitingWrites
from core.recording.writes import Assign, Begin, Finish, Record, Write, joined
from core.records.records import (
    Assignment,
    Outcome,
    Recorder,
    RunRecord,
    RunState,
    StoredValues,
    UnknownRunError,
    Writer,
)
from core.values.value_table import ValueTable

_AGAIN_S = 1.0
"""How often what failed is tried again."""
_RECOVER_AGAIN_S, _RECOVER_SELDOM_S = 5.0, 300.0
_GRACE_S = 1.0
"""For so long outcomes wait for the store in memory only."""
_LOOK_S = 0.2


@dataclass(slots=True)
class _Run:
    """What the store must know of a run before it takes its outcomes, and how often it was begun and did not end."""

    begin: Begin
    assigns: list[Assign] = field(default_factory=list)
    open: int = 0


class WriteBehindRecorder:
    """A recorder in front of another one; a thread writes to that one, in order.

    Any write that fails is told and tried again until it works. Meanwhile outcomes are in the spool. Where neither can
    be written, ``record`` does not return, so that one chunk at most is in memory only. What other processes left in
    spools of the same store is stored when a run begins.

    Without ``patient``, calls return at once, and a chunk waits in memory until the next one comes or the store fails.
    With it, calls return once their effect is safe: in the store, or in the spool where the store fails.

    Attributes:
        while_waiting: called in the calling thread, five times a second, while a call waits. What it raises ends the
            waiting; what was handed over stays.
    """

    def __init__(
        self,
        recorder: Recorder,
        store: Path,
        *,
        patient: Recorder | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the thread.

        Args:
            recorder: the recorder to write to. It should give up soon when the store is in use.
            store: the file that it writes to, by which the spool is found.
            patient: the same, but it waits as long as a person would. It begins runs, and reads; so what cannot be
                stored at all is refused before it is evaluated.
            on_change: called from the thread after each write that works or fails.
        """
        self.while_waiting: Callable[[], None] = lambda: None
        self._recorder = recorder
        self._patient = patient
        self._reader = patient or recorder
        self._store = store
        self._on_change = on_change
        self._waiting = WaitingWrites(store)
        self._runs: dict[str, _Run] = {}
        self._notices: list[str] = []
        self._noted: set[str] = set()
        self._trouble: CornerstoneError | None = None
        self._stuck: CornerstoneError | None = None
        self._spool_again = self._recover_at = 0.0
        self._recover_pause = _RECOVER_AGAIN_S
        self._recover_wanted = self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="write-behind", daemon=True)
        self._thread.start()

    @property
    def unsaved(self) -> int:
        """How many outcomes are not in the store yet."""
        return self.status.outcomes

    @property
    def stuck(self) -> bool:
        """Whether neither the store nor the spool can be written, so that evaluation has to pause."""
        return self._stuck is not None and self._trouble is not None

    @property
    def status(self) -> Status:
        with self._changed:
            waiting = self._waiting
            return Status(waiting.outcomes, waiting.unsafe, self._trouble, self._stuck, waiting.spool)

    def take_notices(self) -> list[str]:
        """Return what happened that a person should know, each sentence once."""
        with self._changed:
            notices, self._notices = self._notices, []
        return notices

    def begin(self, run: RunRecord) -> None:
        """Note that a run has started, or goes on after its end.

        Raises:
            CornerstoneError: with a patient recorder, the run cannot be stored; it is then not begun.
        """
        with self._changed:
            self._runs.setdefault(run.run_id, _Run(Begin(run))).open += 1
        if self._patient is None:
            self._put(Begin(run))
            self._recover()
            return
        try:
            self._patient.begin(run)
        except BaseException:
            with self._changed:
                self._end_of(run.run_id)
            raise
        self._recover()
        self._wait_until(lambda: not self._recover_wanted or self._recover_at > 0)

    def assign(self, run_id: str, assignment: Assignment) -> None:
        assign = Assign(run_id, assignment)
        with self._changed:
            if run_id in self._runs:
                self._runs[run_id].assigns.append(assign)
        self._put(assign)
        self._settle()

    def finish(self, run_id: str, state: RunState) -> None:
        self._put(Finish(run_id, state))
        self._settle()

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        record = Record(run_id, assignment, outcomes)
        try:
            self._make_safe()
        finally:  # also where the waiting is ended
            self._taken(record)
            self._put(record)
        if self._trouble is not None:
            self._make_safe()
        self._settle()

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        waiting: defaultdict[str, set[Removed]] = defaultdict(set)
        keys, coalitions = {document.key for document in assignment.documents}, set(assignment.coalitions)
        for record in self._waiting_of(assignment):
            for outcome in record.outcomes:
                if outcome.document in keys and outcome.removed in coalitions:
                    waiting[outcome.document].add(outcome.removed)
        stored = self._reader.stored(assignment)
        return {key: stored.get(key, frozenset()) | waiting[key] for key in {*stored, *waiting}}

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        table: ValueTable | None = None
        for record in self._waiting_of(assignment):
            table = table or ValueTable(assignment.documents, metric, assignment.task.mean_metrics)
            table.add(record.outcomes)
        stored = self._reader.values(assignment, metric)
        if table is None:
            return stored
        table.load(stored)
        return table.stored(assignment.documents)

    def writers(self) -> tuple[Writer, ...]:
        """Return the other runs that write to the store; none if the store is in use and cannot be read."""
        try:
            return self._recorder.writers()
        except InUseError:
            return ()

    def flush(self, patience: float) -> int:
        """Wait until nothing waits, ``patience`` seconds at most; return how many outcomes still wait."""
        deadline = time.monotonic() + patience
        self._wait_until(lambda: not self._waiting or time.monotonic() > deadline)
        return self.unsaved

    def close(self, patience: float) -> Status:
        """Write what waits within ``patience`` seconds, leave the rest in the spool, and end the thread.

        When it returns nothing is being written. The status says what is left: ``unsafe`` outcomes are lost.
        """
        try:
            self.flush(patience if self._thread.is_alive() else 0)
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            self._thread.join()
            with self._changed:
                self._spool_waiting()
                status = self.status
                self._waiting.release_spool()
        return status

    def _recover(self) -> None:
        """Let the thread store what other processes left in spools, now and again until it works."""
        with self._changed:
            self._recover_wanted, self._recover_at, self._recover_pause = True, 0.0, _RECOVER_AGAIN_S
            self._changed.notify_all()

    def _taken(self, record: Record) -> None:
        """Called when outcomes were handed over, before they are safe."""

    def _waiting_of(self, assignment: Assignment) -> Iterator[Record]:
        """Yield the outcomes that wait and hold for an assignment.

        To be asked before the store: one that is written meanwhile is then in both, and in the other order it might be
        in neither.
        """
        with self._changed:
            waiting = list(self._waiting)
        for one in waiting:
            write = one.write
            if isinstance(write, Record) and assignment.shares_outcomes(write.assignment):
                with self._changed:
                    whole = None if one.done else self._whole(one)
                if isinstance(whole, Record):
                    yield whole

    def _whole(self, one: Waiting) -> Write | None:
        """Return a write with its outcomes; None if the spool was damaged, which is told and keeps the file."""
        try:
            return self._waiting.whole(one)
        except ValueError as error:
            self._note(f"{error}; its {one.outcomes} outcomes are not stored, and the file is kept")
            return None

    def _put(self, write: Write) -> None:
        with self._changed:
            self._waiting.put(write)
            self._changed.notify_all()

    def _settle(self) -> None:
        """With a patient recorder, wait until all that was handed over is safe."""
        if self._patient is not None:
            self._make_safe(everything=True)
            self.while_waiting()

    def _make_safe(self, *, everything: bool = False) -> None:
        """Wait until no outcomes, or nothing, is in memory only: stored within a moment, else in the spool."""
        with self._changed:
            behind = self._trouble is not None or self._waiting.any_spooled
        deadline = time.monotonic() + (0.0 if behind else _GRACE_S)

        def safe() -> bool:
            there = self._waiting.all_spooled if everything else not self._waiting.unsafe
            return there or (time.monotonic() >= deadline and self._spool_waiting())

        self._wait_until(safe)

    def _wait_until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true, which is asked under the lock."""
        while True:
            with self._changed:
                if true() or self._changed.wait_for(true, _LOOK_S):
                    return
            self.while_waiting()

    def _spool_waiting(self) -> bool:
        """Put into the spool what is in memory only; return whether that worked. For holders of the lock."""
        if not self._waiting.all_spooled and time.monotonic() < self._spool_again and not self._closing:
            return False
        try:
            self._waiting.to_spool(self._run_of)
        except OSError as error:
            self._spool_again = time.monotonic() + _AGAIN_S
            self._stuck = CornerstoneError(f"{self._waiting.spool} cannot be written ({error.strerror or error})")
            return False
        self._stuck = None
        return True

    def _run_of(self, run_id: str) -> RunRecord | None:
        run = self._runs.get(run_id)
        return None if run is None else run.begin.run

    def _write_all(self) -> None:
        while True:
            self._recover_if_due()
            with self._changed:
                if self._closing:
                    return
                if not self._waiting:
                    due = max(0.0, self._recover_at - time.monotonic()) if self._recover_wanted else None
                    self._changed.wait(due)
                    continue
                first = self._waiting.first()
            try:
                with self._changed:
                    whole = [self._whole(one) for one in first]
                for write in joined(write for write in whole if write is not None):
                    self._write(write)
            except Exception as error:  # noqa: BLE001 whatever it is: it is told, and tried again
                self._failed(error)
            else:
                self._written(first)

    def _write(self, write: Write) -> None:
        """Write to the store, and make sure that the file was not removed or replaced meanwhile."""
        before = _identity(self._store)
        try:
            write.apply(self._recorder)
        except (UnknownRunError, KeyError):
            run = self._runs.get(write.run_id)
            if run is None:
                raise
            run.begin.apply(self._recorder)
            for assign in run.assigns:
                assign.apply(self._recorder)
            write.apply(self._recorder)
            self._note(
                f"the store {self._store} was removed or replaced; run {write.run_id} goes on in a new file, without "
                "what the old one had",
                once=False,
            )
        after = _identity(self._store)
        if before is not None and before != after:
            raise CornerstoneError(f"the store {self._store} was removed or replaced while it was written")

    def _written(self, first: Sequence[Waiting]) -> None:
        with self._changed:
            for one in first:
                self._waiting.take()
                if isinstance(one.write, Finish):
                    self._end_of(one.write.run_id)
            self._trouble = self._stuck = None
            self._spool_again = 0.0
            if not self._waiting:
                self._discard()
            self._changed.notify_all()
        self._on_change()

    def _end_of(self, run_id: str) -> None:
        """Forget a run that has ended, unless it was begun again meanwhile. For holders of the lock."""
        run = self._runs.get(run_id)
        if run is not None:
            run.open -= 1
            if run.open <= 0:
                del self._runs[run_id]

    def _failed(self, error: Exception) -> None:
        with self._changed:
            self._trouble = trouble_of(error, self._store)
            self._spool_waiting()
            self._changed.notify_all()
        self._on_change()
        with self._changed:  # who found the store in use has waited for it already
            self._changed.wait_for(lambda: self._closing, _LOOK_S if isinstance(error, InUseError) else _AGAIN_S)

    def _discard(self) -> None:
        try:
            aside = self._waiting.discard_spool()
        except OSError as error:
            self._note(f"{self._waiting.spool} cannot be removed ({error.strerror}); all that it has is stored")
            self._waiting.release_spool()
        else:
            if aside is not None:
                self._note(f"the damaged spool is kept as {aside}")

    def _recover_if_due(self) -> None:
        """Store what other processes left in spools."""
        if not self._recover_wanted or time.monotonic() < self._recover_at:
            return
        try:
            for recovered in recover(self._store, self._recorder):
                self._note(recovered.sentence)
        except Exception as error:  # noqa: BLE001 whatever it is: it is told, and tried again
            self._note(f"what an earlier run left in a spool is not stored yet: {trouble_of(error, self._store)}")
            if not isinstance(error, InUseError):  # others use a store for moments only
                self._recover_pause = min(2 * self._recover_pause, _RECOVER_SELDOM_S)
            wanted = True
        else:
            wanted = False
        with self._changed:
            self._recover_wanted, self._recover_at = wanted, time.monotonic() + self._recover_pause
            told = bool(self._notices)
            self._changed.notify_all()
        if told:
            self._on_change()

    def _note(self, sentence: str, *, once: bool = True) -> None:
        with self._changed:
            if sentence and not (once and sentence in self._noted):
                self._noted.add(sentence)
                self._notices.append(sentence)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
