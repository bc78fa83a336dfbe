"""Keep the outcomes of a study whatever happens to the store. Light to import."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from core.errors import OutcomesWaitError
from core.recording.status import Status
from core.recording.write_behind import WriteBehindRecorder
from core.records.records import Recorder
from core.study.events import PhaseFinished, StudyEvent
from core.study.listener import Listener

_ATTEMPT_S = 2.0
"""For so long a write waits for the store, before it is told that somebody holds it."""
_LEAVE_S = 2.0
"""For so long a study that is stopped or fails still waits for the store."""


@contextmanager
def kept_outcomes(
    recorder_of: Callable[[float], Recorder], store: Path, listener: Listener, patience: float
) -> Iterator[WriteBehindRecorder]:
    """Yield a recorder that keeps what the store does not take, and close it when the block ends.

    Args:
        recorder_of: returns a recorder that writes to ``store`` and waits so many seconds while it is in use.
        store: the file.
        listener: hears of trouble with the store and of its end; it is called while a write waits, and may end that.
        patience: seconds to wait for the store before and after the work.

    Raises:
        OutcomesWaitError: the block ended well, but not all outcomes could be stored.
    """
    # What reads the store waits for this program's own writes, whatever the patience with others.
    patient = recorder_of(max(_ATTEMPT_S, patience))
    recorder = WriteBehindRecorder(recorder_of(min(_ATTEMPT_S, patience)), store, patient=patient)
    told = _Told(recorder, store, listener)

    def while_waiting() -> None:
        told.tell()
        listener.on_batch(0.0)

    recorder.while_waiting = while_waiting
    try:
        yield recorder
    except BaseException:
        recorder.while_waiting = told.tell
        left = recorder.close(_LEAVE_S)
        told.tell()
        if left.outcomes:
            listener.narrate(_left(left))
        raise
    left = recorder.close(patience)
    told.tell()
    if left.outcomes:
        raise OutcomesWaitError(_left(left))


def stored_phases(
    events: Generator[StudyEvent, None, None], recorder: WriteBehindRecorder, patience: float
) -> Generator[StudyEvent, None, None]:
    """Yield events of a study; before a phase is called finished, wait until its outcomes are stored.

    Where that takes longer than ``patience`` seconds, the event says how many outcomes wait.
    """
    with closing(events):
        for event in events:
            if isinstance(event, PhaseFinished):
                waiting = recorder.flush(patience)
                patience = 0.0 if waiting else patience
                yield replace(event, waiting=waiting)
            else:
                yield event


class _Recording(Protocol):
    """A recorder that has a status and notices."""

    @property
    def status(self) -> Status: ...

    def take_notices(self) -> Sequence[str]: ...


class _Told:
    """Tells a listener what changes: each trouble once until the store is written again, each pause when it begins."""

    def __init__(self, recorder: _Recording, store: Path, listener: Listener) -> None:
        self._recorder = recorder
        self._store = store
        self._listener = listener
        self._troubles: set[str] = set()
        self._paused = False

    def tell(self) -> None:
        for notice in self._recorder.take_notices():
            self._listener.narrate(notice)
        status = self._recorder.status
        if status.trouble is None:
            if self._troubles and not status.outcomes:
                self._troubles.clear()
                self._paused = False
                self._listener.narrate(f"the store {self._store} is written again, and no outcome waits")
            return
        # A full disk fails in several ways, in turns.
        if str(status.trouble) not in self._troubles or status.pauses != self._paused:
            self._troubles.add(str(status.trouble))
            self._paused = status.pauses
            self._listener.narrate(status.sentence)


def _left(left: Status) -> str:
    safe = left.outcomes - left.unsafe
    parts = [str(left.trouble or "the store was not written in time")]
    if left.unsafe:
        count = "1 outcome is" if left.unsafe == 1 else f"{left.unsafe} outcomes are"
        parts.append(f"{left.stuck or 'there was no time to keep them elsewhere'}, so {count} lost")
    if safe:
        count = "1 outcome waits" if safe == 1 else f"{safe} outcomes wait"
        parts.append(f"{count} in {left.spool}, from which the next run on this store stores them")
    return "; ".join(parts)
