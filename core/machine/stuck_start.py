"""End a process that hangs while a thread starts, as Python can when a memory limit is reached.

``threading.Thread.start`` waits until the new thread says that it runs. A thread that gets no memory says nothing, and
the wait has no end. No library that starts threads can be told to wait for less.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from core.machine.memory_limit import memory_limit

_LOOK_EVERY_S = 1.0
_STUCK_S = 20.0

MESSAGE = "cornerstone: the memory limit of this process (ulimit -v) leaves too little to start a thread; raise it\n"


def watch_thread_starts(end: Callable[[], None] | None = None, patience: float = _STUCK_S) -> None:
    """Watch from a thread of its own that every thread of this process starts; do nothing without a memory limit.

    Args:
        end: called when a thread did not start; by default it says so on stderr and ends the process with 1.
        patience: seconds in which a thread has to start.
    """
    if memory_limit() is None:
        return
    threading.Thread(target=_watch, args=(end or _end, patience), name="thread starts", daemon=True).start()


def _watch(end: Callable[[], None], patience: float) -> None:
    since: dict[int, float] = {}
    while True:
        now = time.monotonic()
        starting = {number for number, frame in sys._current_frames().items() if _is_starting(frame)}
        since = {number: since.get(number, now) for number in starting}
        if any(now - began > patience for began in since.values()):
            end()
            return
        time.sleep(min(_LOOK_EVERY_S, patience))


def _is_starting(frame: FrameType | None) -> bool:
    """Return whether a thread's innermost Python frames are those of the wait in ``threading.Thread.start``."""
    while frame is not None and frame.f_code.co_filename == threading.__file__:
        if frame.f_code is threading.Thread.start.__code__:
            return True
        frame = frame.f_back
    return False


def _end() -> None:
    # Nothing may be built here that takes memory.
    os.write(2, MESSAGE.encode())
    os._exit(1)
