"""Take turns at a store: a fair order among this user's programs on this machine, in front of DuckDB's own lock.

DuckDB refuses a file that is in use, and names no time to come back. If every program only tried again, chance would
decide, and readers that overlap would keep a writer out for ever. So each program draws a ticket and waits until it is
the first. Then it takes a lock that readers share and a writer has alone, and gives its ticket up. A writer that waits
for that lock is the first all the while, so those who come later wait behind it.

Tickets and lock are advisory file locks, which vanish with their process. DuckDB's lock stays the one that counts: for
other users, other machines, and programs that open the file by themselves. Where no file can be made, there are no
turns.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from store.file.holders import LOCK, folder_of
from store.file.waiting import Waiting

# Who has a turn already needs no other: a program that reads two tables of one store at once would wait for itself.
_having: ContextVar[frozenset[Path]] = ContextVar("_having", default=frozenset())


@contextmanager
def turn(path: Path, waiting: Waiting, *, alone: bool) -> Iterator[None]:
    """Wait for a turn at a store, and keep it until the block ends.

    Args:
        path: the file of the store.
        waiting: the wait; turns are given in the order in which waits began.
        alone: whether nobody else may have a turn meanwhile.

    Raises:
        InUseError: the time of the wait is over.
    """
    folder = folder_of(path)
    if folder is None or folder in _having.get():
        yield
        return
    with ExitStack() as held:
        try:
            ticket = held.enter_context(_ticket(folder, waiting))
            while (ahead := _ahead(folder, ticket.name)) > 0:
                waiting.again(ahead=ahead)
            held.enter_context(_locked(folder, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, waiting))
        except OSError:  # a full disk, a file system without locks, or somebody has removed the folder meanwhile
            held.close()
            yield
            return
        _remove(ticket)
        _having.set(_having.get() | {folder})
        held.callback(lambda: _having.set(_having.get() - {folder}))
        yield


@contextmanager
def _ticket(folder: Path, waiting: Waiting) -> Iterator[Path]:
    """Draw a ticket, a locked file whose name says since when its owner waits; remove it when the block ends."""
    ticket = folder / f"{waiting.began_ns:020}-{os.getpid()}-{id(waiting):x}"
    with ExitStack() as held:
        held.callback(_remove, ticket)
        while True:
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            with ExitStack() as attempt:
                try:
                    descriptor = attempt.enter_context(_opened(ticket))
                except FileNotFoundError:
                    continue  # the last one to leave has just removed the folder
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.fstat(descriptor).st_nlink > 0:
                    held.push(attempt.pop_all())
                    break
                # Another program took it for one left behind, before it was locked.
        yield ticket


def _ahead(folder: Path, name: str) -> int:
    """Return how many wait longer, and remove the tickets of processes that were killed."""
    earlier = sorted(found for found in os.listdir(folder) if found < name and found != LOCK)
    for place, found in enumerate(earlier):
        if _is_held(folder / found):
            return len(earlier) - place
        _remove(folder / found)
    return 0


def _is_held(ticket: Path) -> bool:
    try:
        with _opened(ticket, os.O_RDWR) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def _locked(folder: Path, kind: int, waiting: Waiting) -> Iterator[None]:
    with ExitStack() as held:
        while True:
            with ExitStack() as attempt:
                descriptor = attempt.enter_context(_opened(folder / LOCK))
                try:
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                except BlockingIOError:
                    attempt.close()
                    waiting.again()
                    continue
                if os.fstat(descriptor).st_nlink > 0:  # else the last one to leave has removed it
                    held.push(attempt.pop_all())
                    break
        try:
            yield
        finally:
            _tidy(folder, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child of this process may have the descriptor too


def _tidy(folder: Path, lock: int) -> None:
    """Remove the lock and its folder, if nobody else has a turn or waits for one."""
    with suppress(OSError):
        if os.listdir(folder) == [LOCK]:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(folder / LOCK)
            folder.rmdir()


@contextmanager
def _opened(file: Path, flags: int = os.O_RDWR | os.O_CREAT) -> Iterator[int]:
    descriptor = os.open(file, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
