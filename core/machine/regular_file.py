"""Files that must be regular ones: a pipe would block, and a device or a socket is no file to read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import CornerstoneError
from core.machine.plain_text import plain

_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
)


def kind_at(path: Path) -> str | None:
    """Return what is at a path: a ``file``, ``folder``, ``pipe``, ``socket`` or ``device``; None if there is nothing.

    Raises:
        CornerstoneError: that cannot be told, as in a folder that may not be entered.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # a name with NUL is a ValueError
        raise CornerstoneError(f"cannot look at {path}: {reason_of(error)}") from error
    return kind_of(mode)


def kind_of(mode: int) -> str:
    """Return the kind of what has this mode, as ``kind_at`` names it."""
    return next((name for test, name in _KINDS if test(mode)), "device")


def reason_of(error: OSError | ValueError) -> str:
    """Return why a path cannot be used, in the system's words where it has some."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading, without ever waiting for another program.

    Raises:
        OSError: there is no such file, it may not be read, or it is not a regular file; ``strerror`` says which.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "its name has a null character")
    _refuse_others(os.stat(path).st_mode)
    # Another program may put a pipe in its place meanwhile.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _refuse_others(os.fstat(number).st_mode)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


@contextmanager
def opened_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading, and say in a sentence what keeps it from being read.

    Raises:
        CornerstoneError: ``open_regular`` cannot open the file, or reading it fails.
    """
    try:
        with open_regular(path) as file:
            yield file
    except OSError as error:
        raise CornerstoneError(f"cannot read {plain(str(path))}: {error.strerror or error}") from error


def real_path(path: Path) -> Path:
    """Return an absolute path without symbolic links; a path that cannot be followed is only made absolute.

    ``Path.resolve`` raises errors of several kinds for links to themselves and for odd names.
    """
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return Path(os.path.abspath(path))


def _refuse_others(mode: int) -> None:
    kind = kind_of(mode)
    if kind != "file":
        raise OSError(errno.EINVAL, f"it is a {kind}, not a file")
