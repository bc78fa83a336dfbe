"""Make a new store whole: a kill or a full disk leaves either a store or nothing in its place."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from core.errors import CornerstoneError
from core.machine.database_file import LOG_ENDINGS
from core.machine.memory_limit import short_of_memory
from store.file.cause import cause_of
from store.file.place import is_stub, is_unfinished, log_of, make_folder, no_file_in, shown

_LONGEST_ENDING = max(map(len, LOG_ENDINGS))


class BeingMadeError(Exception):
    """Another program is just making a file at this place."""


def make(path: Path, schema: str, settings: Mapping[str, str | bool | int | float | list[str]]) -> None:
    """Make an empty store where none is, or in the place of what a program left that was stopped while it made one.

    The store is made in a folder beside its place, and appears there whole. If another program makes one meanwhile,
    that one stays. A log that a removed store has left behind does not belong to the new one, and is renamed.

    Args:
        path: the file to make. Its folder is made too, as ``make_folder`` does.
        schema: the SQL that makes the tables.
        settings: DuckDB's settings.

    Raises:
        BeingMadeError: another program is making a database here; try again.
        CornerstoneError: the file cannot be made.
    """
    place = path.resolve()  # a link may lead to a file that is not there yet
    make_folder(place)
    try:
        _refuse_long_name(place)
        _remove_left_behind(place)
        with _folder_beside(place) as folder:
            fresh = Path(folder) / "store"
            with duckdb.connect(str(fresh), config=dict(settings)) as connection:
                connection.begin()
                connection.execute(schema)
                connection.commit()
                connection.execute("CHECKPOINT")  # closing does that too, but says nothing if it fails
            _put(fresh, place)
    except FileNotFoundError as error:
        # The folder was removed meanwhile, or another computer took the unfinished store for one left behind.
        raise BeingMadeError from error
    except duckdb.OutOfMemoryException as error:
        raise short_of_memory("to make a store", cause_of(error)) from error
    except (OSError, RuntimeError, duckdb.Error) as error:
        raise CornerstoneError(f"cannot make the store {shown(path)}: {cause_of(error)}") from error


def _refuse_long_name(place: Path) -> None:
    longest = os.pathconf(place.parent, "PC_NAME_MAX")
    if len(os.fsencode(place.name)) + _LONGEST_ENDING > longest:
        raise CornerstoneError(
            f"cannot make the store {shown(place)}: its name has more than {longest - _LONGEST_ENDING} bytes"
        )


def _folder_beside(place: Path) -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(dir=place.parent, prefix=_prefix(place), ignore_cleanup_errors=True)
    except FileNotFoundError as error:
        if place.parent.is_dir():  # as /proc is, where nobody may make a file
            raise no_file_in(place.parent, error) from error
        raise


def _prefix(place: Path) -> str:
    """Return how the names of the folders begin in which this user makes this store on this machine."""
    identity = f"{platform.node()} {os.getuid()} {shown(place)}"
    return f".cornerstone-{hashlib.sha256(identity.encode()).hexdigest()[:12]}-"


def _remove_left_behind(place: Path) -> None:
    """Remove the folders of programs that were killed while they made this store. Whoever makes one has a turn."""
    for folder in place.parent.glob(f"{_prefix(place)}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _put(fresh: Path, place: Path) -> None:
    if is_stub(place):
        _replace_stub(fresh, place)
    else:
        _set_log_aside(place)
        with suppress(FileExistsError):
            _link(fresh, place)
    with suppress(OSError):  # some file systems cannot do that for a folder
        _flush(place.parent)


def _link(fresh: Path, place: Path) -> None:
    try:
        os.link(fresh, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(place, os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(fresh, place)


def _replace_stub(fresh: Path, place: Path) -> None:
    """Replace a stub, unless another program holds it, which then is just writing its headers."""
    descriptor = os.open(place, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of the kind that DuckDB takes
        if not is_unfinished(os.pread(descriptor, os.fstat(descriptor).st_size, 0)):
            raise BeingMadeError
        os.replace(fresh, place)
    except (BlockingIOError, PermissionError) as error:
        raise BeingMadeError from error
    finally:
        os.close(descriptor)


def _set_log_aside(place: Path) -> None:
    log = log_of(place)
    if not log.exists() or place.exists():
        return
    left = log.with_name(log.name + ".left")
    count = 1
    while left.exists():
        count += 1
        left = log.with_name(f"{log.name}.left{count}")
    log.rename(left)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
