"""Another process that holds a store open, as a notebook may."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = """
import sys, time, duckdb
print("ready", flush=True)
store = sys.stdin.readline().rstrip("\\n")
deadline = time.monotonic() + 240
while True:
    try:
        connection = duckdb.connect(store)
        break
    except duckdb.IOException:
        assert time.monotonic() < deadline
        time.sleep(0.01)
print("held", flush=True)
sys.stdin.read()
"""


class Holder:
    """A process that is ready to open a store, so that it does so within milliseconds."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self._read() == "ready\n"

    def hold(self, store: Path) -> None:
        """Let the process open the store, as soon as nobody else has it open."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{store}\n")
        self._process.stdin.flush()
        assert self._read() == "held\n"

    def release(self) -> None:
        """Close the store; the process ends by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(240)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def holder() -> Iterator[Holder]:
    """Start a process that will hold a store when it is told to."""
    command = [sys.executable, "-c", _HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        one = Holder(process)
        try:
            yield one
        finally:
            one.release()


@contextmanager
def held(store: Path) -> Iterator[None]:
    """Let another process hold the file open within the block."""
    with holder() as one:
        one.hold(store)
        yield
