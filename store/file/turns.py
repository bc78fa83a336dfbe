"""Take turns at a store: a fair order among this user's programs on this machine, in front of DuckDB's own lock.

DuckDB refuses a file that is in use, and names no time to come back. If every program only tried again, readers that
overlap would keep a writer out for ever. So each program first takes a turnstile, and behind it a lock that readers
share. A writer that waits for the readers in it holds the turnstile, and those who come later wait behind the writer.

The locks are advisory and vanish with their process. DuckDB's lock stays the one that counts: for other users, other
machines, and programs that open the file by themselves. Where no lock file can be made, there are no turns.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from core.errors import CornerstoneError
from core.evaluator.address import turns_path
from store.file.waiting import Waiting

# Who has a turn already needs no other: a program that reads two tables of one store at once would wait for itself.
_having: ContextVar[frozenset[Path]] = ContextVar("_having", default=frozenset())


@contextmanager
def turn(path: Path, waiting: Waiting, *, alone: bool) -> Iterator[bool]:
    """Wait for a turn at a store, and keep it until the block ends.

    Args:
        path: the file of the store.
        waiting: the wait, which may take place in several steps.
        alone: whether nobody else may have a turn meanwhile.

    Yields:
        Whether there are turns here. Otherwise others may use the store at the same time.

    Raises:
        InUseError: the time of the wait is over.
    """
    try:
        locks = turns_path(path)
    except (CornerstoneError, OSError):
        locks = None
    if locks is None or locks in _having.get():
        yield False
        return
    with ExitStack() as stack:
        try:
            turnstile = stack.enter_context(_opened(locks.with_suffix(".turnstile")))
            room = stack.enter_context(_opened(locks))
        except OSError:
            stack.close()
            yield False
            return
        with _locked(turnstile, fcntl.LOCK_EX, waiting):
            stack.enter_context(_locked(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, waiting))
        _having.set(_having.get() | {locks})
        stack.callback(lambda: _having.set(_having.get() - {locks}))
        yield True


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(descriptor: int, kind: int, waiting: Waiting) -> Iterator[None]:
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            waiting.again()
        except OSError:  # this file system has no locks
            break
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child of this process may have the descriptor too
