"""Hold DuckDB's own lock on a file, also on one that is too damaged for DuckDB to open."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CornerstoneError
from store.file.place import shown
from store.file.turns import turn
from store.file.waiting import Waiting


@contextmanager
def locked(path: Path, waiting: Waiting, *, alone: bool = False) -> Iterator[int]:
    """Keep other processes from writing to a store within the block, and yield a file descriptor of it.

    The lock belongs to this process, and DuckDB takes the same one. So DuckDB can open the file in the block. The lock
    is lost when DuckDB, or anything else in this process, closes the file.

    Args:
        path: the file of the store.
        waiting: the wait for programs that hold it.
        alone: keep other processes from reading too.

    Raises:
        CornerstoneError: the file cannot be opened, or stays in use (InUseError).
    """
    with turn(path, waiting, alone=alone):
        try:
            # A pipe that takes the place of the file must not be waited for.
            descriptor = os.open(path, (os.O_RDWR if alone else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise CornerstoneError(f"cannot open the store {shown(path)}: {error.strerror}") from error
        try:
            _take(descriptor, waiting, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield descriptor
        finally:
            os.close(descriptor)


def _take(descriptor: int, waiting: Waiting, kind: int) -> None:
    while True:
        try:
            fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            waiting.again()
        except OSError:
            return  # a file system without locks, where DuckDB has none either
        else:
            return
