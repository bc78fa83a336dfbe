"""Opening the store: short connections, patience while another process holds the file, versions of the schema."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import duckdb
import platformdirs

from core.errors import CornerstoneError

SCHEMA_VERSION = 1
PATIENCE_S = 30.0
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "1GB", "threads": 2}


def default_path() -> Path:
    """Where results are kept unless told otherwise."""
    return Path(platformdirs.user_data_dir("cornerstone", appauthor=False)) / "results.duckdb"


@contextmanager
def reading(path: Path, patience: float = PATIENCE_S) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a store that is there.

    Raises:
        CornerstoneError: there is none, it is no store, it is newer than this program, or it stays locked.
    """
    if not path.is_file():
        raise CornerstoneError(f"no results at {path} yet; `cornerstone run` makes some (--store names another file)")
    with _connection(path, patience, read_only=True) as connection:
        _check_version(connection, path)
        yield connection


@contextmanager
def writing(path: Path, patience: float = PATIENCE_S) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in one transaction, committed when the block ends and rolled back if it raises.

    The file and its folder are made if they are not there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CornerstoneError(f"cannot make the folder {path.parent} for the store: {error.strerror}") from error
    with _connection(path, patience, read_only=False) as connection:
        connection.begin()
        try:
            if not _tables(connection):
                connection.execute((resources.files("store") / "schema.sql").read_text(encoding="utf-8"))
                connection.execute("INSERT INTO meta VALUES (?)", [SCHEMA_VERSION])
            _check_version(connection, path)
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
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=_SETTINGS)
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise CornerstoneError(f"{path} cannot be opened as a store: {_first_line(error)}") from error
            if time.monotonic() > deadline:
                raise CornerstoneError(
                    f"the store {path} has been in use by another program for {patience:.0f} s; "
                    "close what holds it (a notebook?) and run again"
                ) from error
            time.sleep(random.uniform(0.05, 0.25))
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise CornerstoneError(f"{path} is not a DuckDB file; name another one with --store") from error


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {str(name) for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def _check_version(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    if "meta" not in _tables(connection):
        raise CornerstoneError(f"{path} is a DuckDB file, but no store of this program; name another with --store")
    (version,) = connection.execute("SELECT schema_version FROM meta").fetchone() or (0,)
    if version > SCHEMA_VERSION:
        raise CornerstoneError(
            f"{path} was written by a newer version (schema {version}, this one knows {SCHEMA_VERSION}); upgrade"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
