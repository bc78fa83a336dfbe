"""Files that must be regular ones: a pipe would block, and a device or a socket is no file to read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import CornerstoneError
from core.machine.plain_text import plain
from core.machine.small_file import kind_of


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
