"""Put a new store in the place of another one that programs may be about to open.

A program opens the file first and locks it then. So one that was stopped between the two could lock the replaced file
once it is free, and write into it. The replaced file is therefore emptied while it is still locked: DuckDB refuses it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file
from store.file.cause import cause_of
from store.file.place import shown
from store.maintenance.log import log_files


@contextmanager
def replaced(path: Path, locked: int | None) -> Iterator[Path]:
    """Yield a temporary path; when the block ends, the store written there replaces ``path``.

    The connection that has written the store has made a checkpoint, which has it on the disk, and stays open until
    after the block, so that nobody uses it before.

    Args:
        path: the file to write or replace.
        locked: a descriptor of the file that is replaced, which this process has locked alone; None if there is none.

    Raises:
        CornerstoneError: the file cannot be written; what was there is as it was.
    """
    try:
        with ExitStack() as logs, whole_file(path, force=True, flush=False, over_store=True) as fresh:
            yield fresh
            if locked is not None:
                _take_over(fresh, locked)
            logs.enter_context(_aside(log_files(path)))
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.TransactionException) as error:
        raise CornerstoneError(f"cannot write {shown(path)}: {cause_of(error)}") from error
    # Until the new name is on the disk, a power cut brings the old file back, which must not be empty then.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    if locked is not None and os.fstat(locked).st_nlink == 0:
        os.ftruncate(locked, 0)


@contextmanager
def _aside(logs: Sequence[Path]) -> Iterator[None]:
    """Rename the logs of the old file, which DuckDB would take for those of the new one, until it is replaced.

    They come back if it cannot be.
    """
    renamed: list[tuple[Path, Path]] = []
    try:
        for log in logs:
            renamed.append((log, log.rename(log.with_name(f"{log.name}.replaced"))))
        yield
    except BaseException:
        for log, aside in renamed:
            aside.rename(log)
        raise
    for _, aside in renamed:
        aside.unlink()


def _take_over(fresh: Path, locked: int) -> None:
    """Give a new file the mode of the old one, and its owner where this user may."""
    old = os.fstat(locked)
    os.chmod(fresh, old.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(fresh, old.st_uid, old.st_gid)
