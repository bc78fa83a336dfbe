"""Looks now and again which other programs write to the store, at little cost: the file is read only if it changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import CornerstoneError
from core.records.records import Recorder, Writer

LOOK_EVERY_S: Final = 5.0


class WriterWatch:
    """A thread that tells the runs of other programs whenever they are others than before.

    Args:
        recorder: reads them. It should give up soon when the store is in use.
        store: the file that is looked at.
        on_change: called from the thread with the runs that write now.
        every_s: seconds between two looks.
    """

    def __init__(
        self,
        recorder: Recorder,
        store: Path,
        on_change: Callable[[tuple[Writer, ...]], None],
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._recorder = recorder
        self._store = store
        self._on_change = on_change
        self._every_s = every_s
        self._seen: tuple[int, int] | None = None
        self._writers: tuple[Writer, ...] = ()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_until_ended, name="writer-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which may be reading; it is waited for."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look_until_ended(self) -> None:
        while not self._ended.wait(self._every_s):
            self.look()

    def look(self) -> None:
        """Look once. A run that was killed changes no file, so while there are writers the store is read each time."""
        state = _state_of(self._store)
        if state == self._seen and not self._writers:
            return
        try:
            found = self._recorder.writers()
        except CornerstoneError:
            return  # it is in use, or what is wrong with it is told by who writes to it
        self._seen = state
        if found != self._writers:
            self._writers = found
            self._on_change(found)


def _state_of(file: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
