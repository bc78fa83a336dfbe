"""Open the store with short connections, wait while another process holds the file, and upgrade its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

import duckdb

from core.errors import CornerstoneError, InUseError, Mend
from store.file.connection import SETTINGS, Settings, connected, keep_log
from store.file.faults import told
from store.file.patience import PATIENCE_S, OnWait
from store.file.place import NothingStoredError, refuse_bad_place, shown
from store.file.schema import VERSION, difference
from store.file.sound import damaged, tables_of
from store.file.waiting import Waiting

# Step i upgrades a store from version i to i + 1. The first step turns an empty file into a store, and the last one
# into a store of VERSION.
_STEPS = ("schema.sql", "layers.sql")


@contextmanager
def reading(
    path: Path, patience: float = PATIENCE_S, on_wait: OnWait | None = None, settings: Settings = SETTINGS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store read-only; upgrade a store of an older version first.

    Args:
        path: the file of the store.
        patience: seconds to wait while another program holds the file.
        on_wait: hears once who holds the file, if that takes longer than 2 seconds.
        settings: those of DuckDB.

    Raises:
        CornerstoneError: the file is not there (NothingStoredError), is not a store, is damaged, is newer than this
            program, or stays in use (InUseError). Nothing was changed.
    """
    waiting = Waiting(path, patience, on_wait)
    with told(path, "cannot read the store"):
        with connected(path, waiting, _schema(), read_only=True, settings=settings) as connection:
            version = _version(connection, path)
            if version == 0:
                raise NothingStoredError(path)
            if version == VERSION:
                yield connection
        if version < VERSION:
            with writing(path, patience, on_wait):
                pass
            with connected(path, waiting, _schema(), read_only=True, settings=settings) as connection:
                yield connection


@contextmanager
def writing(
    path: Path, patience: float = PATIENCE_S, on_wait: OnWait | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store in one transaction, which is committed when the block ends and rolled back if it raises.

    The file and its folder are created if they do not exist.

    Args:
        path: the file of the store.
        patience: seconds to wait while another program holds the file.
        on_wait: hears once who holds the file, if that takes longer than 2 seconds.

    Raises:
        CornerstoneError: the file cannot be created or written, is not a store, is damaged, is newer than this program,
            or stays in use (InUseError).
    """
    waiting = Waiting(path, patience, on_wait)
    with (
        told(path, "cannot write to the store"),
        connected(path, waiting, _schema(), read_only=False) as connection,
    ):
        try:
            connection.begin()
            _upgrade(connection, path)
            yield connection
            connection.commit()
        except (CornerstoneError, duckdb.Error, UnicodeDecodeError):
            with suppress(duckdb.Error):  # nor has a connection that failed a log to merge
                connection.rollback()
                keep_log(connection)
            raise


def refuse_unusable(path: Path) -> None:
    """Refuse a store that could not be written, before any work is done for it. Nobody is waited for.

    Raises:
        CornerstoneError: no store can be made or written at this place, or what is there is no store, is damaged, or is
            newer than this program.
    """
    refuse_bad_place(path)
    with suppress(NothingStoredError, InUseError), reading(path, patience=0):
        pass


def _schema() -> str:
    """Return the SQL that turns an empty file into a store of this version."""
    return ";\n".join([*map(_sql, _STEPS), f"INSERT INTO meta VALUES ({VERSION})"])


def _sql(step: str) -> str:
    return (resources.files("store") / step).read_text(encoding="utf-8")


def _upgrade(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    version = _version(connection, path)
    for step in _STEPS[version:]:
        connection.execute(_sql(step))
    if version < VERSION:
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?)", [VERSION])


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the version of a store; 0 for a DuckDB file that nobody has put anything into.

    Raises:
        CornerstoneError: the file has something else in it, is newer than this program, or lacks a table or column.
    """
    tables = tables_of(connection)
    columns = dict(tables.get("meta", ()))
    if not tables and _is_empty(connection):
        return 0
    if "schema_version" not in columns:
        raise CornerstoneError(f"{shown(path)} is a DuckDB file, but no store of this program", Mend.OTHER_STORE)
    version = None
    if columns["schema_version"] == "INTEGER":
        (version,) = connection.execute("SELECT max(schema_version) FROM meta").fetchone() or (None,)
    if version is None or version < 1:
        raise damaged(path, "it does not say of which version it is")
    if version > VERSION:
        raise CornerstoneError(
            f"{shown(path)} was written by a newer version of this program (schema {version}, this one knows "
            f"{VERSION})",
            Mend.UPGRADE,
        )
    fault = difference(tables, version)
    if fault is not None:
        raise damaged(path, fault)
    return int(version)


def _is_empty(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether a file without tables has nothing else of somebody's either."""
    of_others = connection.execute(
        """SELECT 1 FROM duckdb_sequences() UNION ALL SELECT 1 FROM duckdb_types() WHERE NOT internal
        UNION ALL SELECT 1 FROM duckdb_functions() WHERE NOT internal
        UNION ALL SELECT 1 FROM duckdb_columns() WHERE NOT internal
        UNION ALL SELECT 1 FROM duckdb_schemas() WHERE NOT internal AND schema_name <> 'main' LIMIT 1"""
    ).fetchone()
    return of_others is None
