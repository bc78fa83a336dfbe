"""Connect to the DuckDB file of a store, within a turn, waiting while another program holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import duckdb

from core.errors import CornerstoneError, Mend
from store.file.log import fault_of_log
from store.file.making import BeingMadeError, make
from store.file.place import NothingStoredError, is_like_a_database, is_there, shown
from store.file.sound import damaged
from store.file.turns import turn
from store.file.waiting import Waiting

Settings = dict[str, str | bool | int | float | list[str]]
"""Settings of DuckDB."""

SETTINGS: Final[Settings] = {
    "memory_limit": "1GB",
    "threads": 2,
    # DuckDB would download an extension as soon as a file looks like another database's.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_IN_USE = ("lock on file", "used by another process", "different configuration", "Unique file handle conflict")


@contextmanager
def connected(
    path: Path, waiting: Waiting, schema: str, *, read_only: bool, settings: Settings = SETTINGS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to a store as long as the block lasts.

    Args:
        path: the file.
        waiting: the wait for programs that hold it.
        schema: the SQL that makes the tables, for a file that is not there yet.
        read_only: whether the file is only read; it has to be there.
        settings: those of DuckDB.

    Raises:
        CornerstoneError: the file is none of DuckDB or cannot be opened, there is none to read, or it stays in use.
        duckdb.Error: it is damaged.
        UnicodeDecodeError: likewise.
    """
    is_there(path)  # a place that can have no store is refused before anything waits for it
    while True:
        with ExitStack() as held:
            held.enter_context(turn(path, waiting, alone=not read_only))
            try:
                connection = _open(path, schema, settings, read_only=read_only)
            except BeingMadeError:
                said = ""
            except duckdb.Error as error:
                if not _is_in_use(error):
                    raise
                said = str(error)
            else:
                held.callback(connection.close)
                _refuse_damaged_log(connection, path)
                yield connection
                return
        # Others have their turn while a program without one holds the file.
        waiting.again(said)


def keep_log(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave file and log as they are when the connection is closed, where DuckDB would merge the two."""
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")


def _open(path: Path, schema: str, settings: Settings, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if not is_there(path):
        if read_only:
            raise NothingStoredError(path)
        make(path, schema, SETTINGS)
    try:
        return duckdb.connect(str(path), read_only=read_only, config=settings)
    except (duckdb.Error, UnicodeDecodeError) as error:
        if _is_in_use(error) or not os.access(path, os.R_OK) or is_like_a_database(path):
            raise
        raise CornerstoneError(f"{shown(path)} is not a DuckDB file", Mend.OTHER_STORE) from error


def _is_in_use(error: Exception) -> bool:
    """Return whether another process holds the file, or another thread of this one in the other mode."""
    return any(sign in str(error) for sign in _IN_USE)


def _refuse_damaged_log(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a log whose damage DuckDB takes for its end, before closing the file drops the log."""
    fault = fault_of_log(path)
    if fault is not None:
        keep_log(connection)
        raise damaged(path, fault)
