"""Open the store with short connections, wait while another process holds the file, and upgrade its schema."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import duckdb

from core.errors import CornerstoneError, InUseError, Mend

PATIENCE_S = 30.0

# Step i upgrades a store from version i to i + 1. The first step turns an empty file into a store.
_STEPS = ("schema.sql",)
# DuckDB would download an extension as soon as a file looks like another database's.
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "threads": 2,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# A new file begins with three header blocks. Until these are written, the file is not a database.
_HEADERS_SIZE = 3 * 4096
_MADE_WITHIN_S = 1.0
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 0.25


@contextmanager
def reading(path: Path, patience: float = PATIENCE_S) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store read-only; upgrade a store of an older version first.

    Args:
        path: the file of the store.
        patience: seconds to wait while another program holds the file.

    Raises:
        CornerstoneError: the file does not exist, is not a store, is newer than this program, or stays locked.
    """
    if not path.exists():
        raise CornerstoneError(f"no results at {path} yet", Mend.MAKE_RESULTS)
    with _connection(path, patience, read_only=True) as connection:
        current = _version(connection, path) == len(_STEPS)
        if current:
            yield connection
    if not current:
        with writing(path, patience):
            pass
        with _connection(path, patience, read_only=True) as connection:
            yield connection


@contextmanager
def writing(path: Path, patience: float = PATIENCE_S) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store in one transaction, which is committed when the block ends and rolled back if it raises.

    The file and its folder are created if they do not exist.

    Args:
        path: the file of the store.
        patience: seconds to wait while another program holds the file.

    Raises:
        CornerstoneError: the file cannot be created or written, is not a store, is newer than this program, or stays
            locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CornerstoneError(f"cannot create the folder {path.parent} for the store: {error.strerror}") from error
    with _connection(path, patience, read_only=False) as connection:
        connection.begin()
        try:
            _upgrade(connection, path)
            yield connection
            connection.commit()
        except duckdb.IOException as error:
            raise CornerstoneError(f"cannot write to the store {path}: {_first_line(error)}") from error


@contextmanager
def _connection(path: Path, patience: float, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = _open(path, patience, read_only=read_only)
    try:
        yield connection
    finally:
        connection.close()


def _open(path: Path, patience: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + patience
    wait = _FIRST_WAIT_S
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=_SETTINGS)
        except (duckdb.Error, UnicodeDecodeError) as error:
            if not (_in_use(error) or _being_made(path, error)):
                raise _no_store(path, error) from error
            if time.monotonic() > deadline:
                raise InUseError(
                    f"the store {path} has been in use by another program for {patience:.0f} s", Mend.FREE_STORE
                ) from error
        time.sleep(random.uniform(wait / 2, wait))
        wait = min(2 * wait, _LONGEST_WAIT_S)


def _in_use(error: Exception) -> bool:
    """Return whether another process holds the file, or another thread of this one holds it in the other mode."""
    signs = ("lock on file", "used by another process", "different configuration", "Unique file handle conflict")
    return any(sign in str(error) for sign in signs)


def _being_made(path: Path, error: Exception) -> bool:
    """Return whether another process has created the file but not yet written its headers."""
    if "not a valid DuckDB database file" not in str(error):
        return False
    stat = path.stat()
    return stat.st_size < _HEADERS_SIZE and time.time() - stat.st_mtime < _MADE_WITHIN_S


def _no_store(path: Path, error: Exception) -> CornerstoneError:
    if isinstance(error, duckdb.IOException | duckdb.ConnectionException):
        return CornerstoneError(f"{path} cannot be opened as a store ({_first_line(error)})", Mend.OTHER_STORE)
    return CornerstoneError(f"{path} is not a DuckDB file", Mend.OTHER_STORE)


def _upgrade(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    version = _version(connection, path) if _columns(connection) else 0
    for step in _STEPS[version:]:
        connection.execute((resources.files("store") / step).read_text(encoding="utf-8"))
    if version < len(_STEPS):
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?)", [len(_STEPS)])


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    if ("meta", "schema_version") not in _columns(connection):
        raise CornerstoneError(f"{path} is a DuckDB file, but no store of this program", Mend.OTHER_STORE)
    (version,) = connection.execute("SELECT max(schema_version) FROM meta").fetchone() or (None,)
    if version is None or version > len(_STEPS):
        raise CornerstoneError(
            f"{path} was written by a newer version of this program (schema {version}, this one knows {len(_STEPS)})",
            Mend.UPGRADE,
        )
    return int(version)


def _columns(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Return every column, with the name of its table."""
    rows = connection.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    return {(str(table), str(column)) for table, column in rows}


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].removeprefix("IO Error: ").rstrip("!")
