"""Standard streams that may be full, closed, or of an encoding that lacks characters: no traceback comes of it."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import IO, Any, Final

from core.errors import CornerstoneError

READER_GONE: Final = 141
"""The exit code of a program whose reader has closed the pipe, as the shell reports it for SIGPIPE."""

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def safe_streams() -> None:
    """Replace stdout and stderr by streams whose faults are for people.

    What cannot be written to stdout raises a ``CornerstoneError``, and ends the program quietly if the reader has
    closed the pipe. What cannot be written to stderr is dropped. Characters that the encoding lacks are replaced.
    """
    _open_closed()
    if sys.stdin is None:
        sys.stdin = open(_STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    sys.stdout = _text(_Stdout(_STDOUT, "w", closefd=False), sys.stdout, "replace")
    sys.stderr = _text(_Stderr(_STDERR, "w", closefd=False), sys.stderr, "backslashreplace")


def tell(line: str) -> None:
    """Print a line on stderr, without control characters, even where little else works any more."""
    text = "".join(char if char.isprintable() else " " for char in line) + "\n"
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError, MemoryError):
        _quietly_write(text)


def _quietly_write(text: str) -> None:
    try:
        os.write(_STDERR, text.encode("ascii", "backslashreplace"))
    except OSError:
        return


class _Stdout(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return _written(self, data)
        except BrokenPipeError:
            _discard(self.fileno())
            sys.exit(READER_GONE)
        except OSError as error:
            _discard(self.fileno())
            reason = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise CornerstoneError(f"cannot write to stdout: {reason}") from error


class _Stderr(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return _written(self, data)
        except OSError:
            return len(data)


def _written(file: io.FileIO, data: Any) -> int:
    """Write some of ``data``, and wait where the other end is slow; return how much."""
    while True:
        count = io.FileIO.write(file, data)
        if count is not None:
            return count
        select.select([], [file], [])


def _text(raw: io.FileIO, before: IO[str] | None, errors: str) -> io.TextIOWrapper:
    if before is not None:
        before.flush()
    line_buffering = bool(getattr(before, "line_buffering", False)) or raw.fileno() == _STDERR
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=line_buffering)


def _open_closed() -> None:
    """Open closed standard streams, lest a file of ours gets their numbers and what is printed goes into it.

    Reading from the first and writing to the second fail as if they were closed.
    """
    for number, flags in ((_STDIN, os.O_WRONLY), (_STDOUT, os.O_RDONLY), (_STDERR, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)


def _discard(number: int) -> None:
    """Let what is still in a buffer go nowhere, so that Python does not fail again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
