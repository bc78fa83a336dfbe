"""Kill a program with SIGKILL at a chosen moment."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.programs import Program

_LOOK_EVERY_S = 0.02
_PATIENCE_S = 120.0


class Channel:
    """A named pipe on which a program tells that its moment has come."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def told(self, program: Program) -> bool:
        """Wait for the moment; return false if the program ends before it."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self._descriptor], [], [], _LOOK_EVERY_S)
            if ready and os.read(self._descriptor, 1):
                return True
            if not program.runs():
                return False
            if ready:  # nobody has opened it yet, which reads as its end
                time.sleep(0.001)
        return False

    def close(self) -> None:
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


@contextmanager
def channel(path: Path) -> Iterator[Channel]:
    """Make a channel, and remove it."""
    made = Channel(path)
    try:
        yield made
    finally:
        made.close()


def kill(program: Program) -> bool:
    """Kill a program; return whether it still ran. When this returns it is gone, and so are its locks."""
    program.signal(signal.SIGKILL)
    return program.wait(_PATIENCE_S).returncode == -signal.SIGKILL


def wait_for(there: Callable[[], object], program: Program) -> bool:
    """Wait until a condition holds; return false if the program ends before that."""
    deadline = time.monotonic() + _PATIENCE_S
    while not there():
        if not program.runs() or time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def end_those_with(argument: str) -> None:
    """Kill the processes that have an argument, which must be a path of this case alone."""
    assert argument.startswith("/")
    found = [process for process in psutil.process_iter(["cmdline"]) if argument in (process.info["cmdline"] or ())]
    for process in found:
        process.kill()
    psutil.wait_procs(found, _PATIENCE_S)
