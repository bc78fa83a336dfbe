"""The folder of the spools: one file for each process that could not write to its store."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from core.machine.regular_file import real_path

SUFFIX = ".spool"
ASIDE = ".damaged"


def spool_folder() -> Path:
    """Return the folder of this user's spools (``XDG_STATE_HOME`` applies). It need not exist."""
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / "spool"


def made_folder() -> Path:
    """Return the folder of the spools, made for this user alone if it did not exist.

    Raises:
        OSError: it cannot be made, or others may enter it.
    """
    folder = spool_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(0, "it is not a folder of yours alone", str(folder))
    return folder


def key_of(store: Path) -> str:
    """Return what the names of a store's spools begin with, and those of its evaluator's files."""
    return hashlib.sha256(os.fsencode(real_path(store.expanduser()))).hexdigest()[:16]


def spools_of(store: Path, suffix: str = SUFFIX) -> list[Path]:
    """Return the spools of a store, the oldest first; with ``ASIDE``, those that were kept because of damage."""
    found = []
    for path in spool_folder().glob(f"{key_of(store)}-*{suffix}"):
        try:
            status = path.lstat()
        except OSError:
            continue  # stored and removed by another process
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid():
            found.append((status.st_mtime_ns, path))
    return [path for _, path in sorted(found)]


@contextmanager
def claimed(path: Path) -> Iterator[BinaryIO | None]:
    """Open a spool that no living process writes, and hold it; yield None if one does or if it is gone."""
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError:
        yield None
        return
    with file:
        yield file if locked(file.fileno()) and _is_at(file.fileno(), path) else None


def locked(file: int) -> bool:
    """Lock a file for its writer; return whether nobody else has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_at(file: int, path: Path) -> bool:
    """Return whether an open file has not been removed or renamed meanwhile."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except OSError:
        return False


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
