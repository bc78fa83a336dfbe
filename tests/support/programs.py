"""Programs as processes of their own: the `cornerstone` command, or any other Python.

On Linux they are forked from a Python that has loaded torch and lm-eval already (``fork_server``). That takes a
hundredth of the seconds that a fresh Python needs. ``PROGRAM`` is the command as a user's shell starts it.
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from tests.support.fork_server import LARGEST_REQUEST

REPOSITORY = Path(__file__).parents[2]
MAIN = ("-c", "from tui.cli import main; main()")
PROGRAM = [sys.executable, *MAIN]

_FORKS = sys.platform == "linux"


class _Process(Protocol):
    """The part of ``subprocess.Popen`` that tests use."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Program:
    """A Python that runs; what it prints is kept in files, so that it never waits for a reader."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        merged: bool = False,
        whole: bool = False,
    ) -> None:
        """Start it.

        Args:
            arguments: of Python: -m and a module, or -c and code, and what follows.
            folder: the working directory.
            environment: of this process if not given; PYTHONPATH leads to this repository in any case.
            merged: stderr goes where stdout goes.
            whole: never fork it from a Python that has loaded the libraries; start it as a user's shell does.
        """
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - open until it has ended
        self._err = self._out if merged else tempfile.TemporaryFile()  # noqa: SIM115
        start = _Fork if _FORKS and not whole else _started
        environment = {**(os.environ if environment is None else environment), "PYTHONPATH": str(REPOSITORY)}
        streams = (self._out.fileno(), self._err.fileno())
        self._process: _Process = start(arguments, folder or Path.cwd(), environment, streams)

    @property
    def pid(self) -> int:
        return self._process.pid

    def runs(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """Return what it has printed to stderr so far."""
        # A read by place, as the file's own place is that of the program too.
        return os.pread(self._err.fileno(), os.fstat(self._err.fileno()).st_size, 0).decode(errors="replace")

    def signal(self, number: int) -> None:
        if self.runs():
            os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Wait until it has ended; return its exit code and its output."""
        code = self._process.wait(timeout)
        out = _content(self._out)
        return subprocess.CompletedProcess([], code, out, "" if self._err is self._out else _content(self._err))

    def end(self) -> None:
        """End it, whatever happened to it before."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._out.close()
        self._err.close()


def cornerstone(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    program = Program([*MAIN, *map(str, arguments)], folder=cwd)
    try:
        return program.wait()
    finally:
        program.end()


def read(store: Path, table: str, *options: str) -> list[dict[str, Any]]:
    """Return the rows of a table of results, as the command exports them."""
    done = cornerstone("results", table, "--store", store, "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def end_fork_server() -> None:
    """End the server of this process, if there is one, and what it started."""
    if _server.cache_info().currsize:
        server = _server()
        server.channel.close()
        server.process.wait()
        _server.cache_clear()


def _started(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[int, int]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, *arguments]
    out, err = streams
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment)


class _Fork:
    """A program of the fork server, with the methods of ``subprocess.Popen``."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[int, int]
    ) -> None:
        request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        text = json.dumps(request).encode()
        assert len(text) <= LARGEST_REQUEST
        told, report = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        socket.send_fds(_server().channel, [text], [nothing, *streams, report])
        os.close(nothing)
        os.close(report)
        self._told = os.fdopen(told)
        self.pid = int(self._told.readline())
        self._code: int | None = None

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            ready, _, _ = select.select([self._told], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired([], timeout or 0.0)
            self._code = int(self._told.readline())
            self._told.close()
        return self._code


@dataclass(frozen=True)
class _Server:
    process: subprocess.Popen[bytes]
    channel: socket.socket


@functools.cache
def _server() -> _Server:
    """Return the fork server of this process, started at the first call."""
    channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.support.fork_server", str(other.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        pass_fds=[other.fileno()],
        start_new_session=True,
    )
    other.close()
    return _Server(process, channel)
