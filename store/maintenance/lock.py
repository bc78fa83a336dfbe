"""Hold DuckDB's own lock on a file, also on one that is too damaged for DuckDB to open."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CornerstoneError, InUseError, Mend

_WAIT_S = 0.1


@contextmanager
def locked(path: Path, patience: float, *, alone: bool = False) -> Iterator[int]:
    """Keep other processes from writing to a store within the block, and yield a file descriptor of it.

    The lock belongs to this process, and DuckDB takes the same one. So DuckDB can open the file in the block. The lock
    is lost when DuckDB, or anything else in this process, closes the file.

    Args:
        path: the file of the store.
        patience: seconds to wait while another process holds the file.
        alone: keep other processes from reading too.

    Raises:
        CornerstoneError: the file cannot be opened, or stays in use.
    """
    try:
        # A FIFO must not be waited for.
        descriptor = os.open(path, (os.O_RDWR if alone else os.O_RDONLY) | os.O_NONBLOCK)
    except OSError as error:
        raise CornerstoneError(f"cannot open the store {path}: {error.strerror}") from error
    try:
        _wait(path, descriptor, patience, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(path: Path, descriptor: int, patience: float, kind: int) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            if time.monotonic() >= deadline:
                said = f"the store {path} has been in use by another program for {patience:g} s"
                raise InUseError(said, Mend.FREE_STORE) from error
        except OSError:
            return  # a file system without locks, where DuckDB has none either
        else:
            return
        time.sleep(_WAIT_S)
