"""Connections of maintenance: DuckDB in memory, to which stores are attached by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import duckdb

from core.errors import CornerstoneError
from core.machine.memory_limit import short_of_memory
from store.file.cause import cause_of, not_written
from store.file.place import shown


@contextmanager
def engine(spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB without a file of its own, with the bounds on memory and threads that the store has.

    Args:
        spill: the folder for what exceeds the memory; None for one in the system's folder for temporary files.
    """
    with TemporaryDirectory(dir=spill, prefix="spill-") as folder:
        connection = duckdb.connect(
            config={
                "memory_limit": "1GB",
                "threads": 2,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "temp_directory": folder,
            }
        )
        try:
            yield connection
        finally:
            connection.close()


def attach(db: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool = True) -> None:
    """Attach a DuckDB file under a name."""
    place = str(path).replace("'", "''")
    db.execute(f"ATTACH '{place}' AS {name}{' (READ_ONLY)' if read_only else ''}")


def quoted(name: str) -> str:
    """Return the name of a table or column for a statement; in a store that others made it may hold anything."""
    return '"' + name.replace('"', '""') + '"'


COLUMNS: Final = """SELECT table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = current_catalog() AND schema_name = 'main' AND NOT internal ORDER BY ALL"""
"""A query for the columns of the tables of the file in use, with their types."""

KEYS: Final = """SELECT table_name, constraint_type, array_to_string(constraint_column_names, ', ')
    FROM duckdb_constraints() WHERE database_name = current_catalog() AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
    ORDER BY ALL"""
"""A query for the keys of the tables of the file in use, with their columns."""


def tables_of(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, str]]:
    """Return the type of each column of each table, from the rows of ``COLUMNS``."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(str(table), {})[str(column)] = str(kind)
    return found


class UnreadableError(Exception):
    """A query could not be answered, because the file is damaged."""


class Reader:
    """Queries one file read-only, and goes on with a new connection after a query that failed.

    With a ``target`` queries may write to another file, as ``target``. A context manager, which closes the connection.
    """

    def __init__(self, path: Path, spill: Path, target: Path | None = None) -> None:
        self._path, self._spill, self._target = path, spill, target
        self._stack = ExitStack()
        self._db: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def ask(self, query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Return all rows of a query.

        Raises:
            UnreadableError: DuckDB cannot open the file or answer the query.
            CornerstoneError: it lacks memory, or cannot write what it has to, such as on a full disk.
        """
        try:
            if self._db is None:
                self._db = self._stack.enter_context(engine(self._spill))
                attach(self._db, self._path, "file")
                if self._target is not None:
                    attach(self._db, self._target, "target", read_only=False)
                # A view or macro of the file may name other files.
                self._db.execute("SET enable_external_access = false")
                self._db.execute("USE file")
            return self._db.execute(query, parameters or []).fetchall()
        except (duckdb.Error, UnicodeDecodeError) as error:
            # A failure may spoil the connection.
            self._close()
            if isinstance(error, duckdb.OutOfMemoryException):
                raise short_of_memory(f"to read {shown(self._path)}", cause_of(error)) from error
            if not_written(error):
                # Both are in a folder that is made for this work, and nobody knows it.
                folder = (self._spill if self._target is None else self._target.parent).parent
                raise CornerstoneError(f"cannot write to the folder {shown(folder)}: {cause_of(error)}") from error
            raise UnreadableError(cause_of(error)) from error

    def one(self, query: str) -> Any:
        """Return the only value of a query, None if there is none."""
        rows = self.ask(query)
        return rows[0][0] if rows else None

    def _close(self) -> None:
        self._db = None
        self._stack.close()
