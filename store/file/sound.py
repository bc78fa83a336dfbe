"""Tell a damaged store from a fault of the program: look whether all of the file can be read and fits together."""

from __future__ import annotations

from pathlib import Path

import duckdb

from core.errors import CornerstoneError, Mend
from store.file.place import shown
from store.file.rules import RULES
from store.file.schema import COLUMNS, VERSION, Columns, difference


def damaged(path: Path, what: str) -> CornerstoneError:
    """Return the error of a damaged store; ``what`` says what is wrong with it."""
    said = f"the store {shown(path)} is damaged ({what}); nothing was changed"
    return CornerstoneError(said, Mend.SALVAGE_STORE, path)


def tables_of(connection: duckdb.DuckDBPyConnection) -> Columns:
    """Return the tables of an open file with their columns."""
    rows = connection.execute(
        """SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE NOT internal AND schema_name = 'main' ORDER BY table_name, column_index"""
    ).fetchall()
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for table, column, kind in rows:
        found[str(table)] = (*found.get(str(table), ()), (str(column), str(kind)))
    return found


def fault_of(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return in words what is wrong with the content of an open store; None if it is sound.

    Every column of every table is read, so that DuckDB compares the checksum of each block that holds rows.
    """
    (version,) = connection.execute("SELECT max(schema_version) FROM meta").fetchone() or (None,)
    fault = difference(tables_of(connection), version or VERSION)
    if fault is not None:
        return fault
    for table in COLUMNS:
        try:
            connection.execute(f"SELECT bit_xor(hash({table})) FROM {table}").fetchall()
        except (duckdb.Error, UnicodeDecodeError):
            return f"the table {table} cannot be read"
    for rule in RULES:
        if rule.since > (version or VERSION):
            continue  # an older store does not have what it reads
        if connection.execute(f"SELECT 1 FROM {rule.table} WHERE {rule.broken} LIMIT 1").fetchone() is not None:
            return f"some of the {rule.table} {rule.said}"
    return None
