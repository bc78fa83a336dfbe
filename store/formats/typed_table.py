"""Rows as a DuckDB table, which gives every column one type: for formats that keep types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from store.formats.columns import columns_of, data_value, types_in

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

_COLUMN_TYPES = {int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", datetime: "TIMESTAMP"}
_BATCH = 10_000


@contextmanager
def typed_table(rows: Sequence[Any], row_type: type) -> Iterator[DuckDBPyRelation]:
    """Hold rows in a table in memory. A column that has numbers and lists of them, as ``gold``, has lists alone."""
    import duckdb

    hints = get_type_hints(row_type)
    types = {name: _column_type(hints[name]) for name in columns_of(row_type)}
    with duckdb.connect() as db:
        db.execute("CREATE TABLE rows (" + ", ".join(f"{_quoted(name)} {kind}" for name, kind in types.items()) + ")")
        fill = "INSERT INTO rows SELECT " + ", ".join(f"unnest(?::{kind}[])" for kind in types.values())
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            db.execute(fill, [[_typed(getattr(row, name), kind) for row in batch] for name, kind in types.items()])
        yield db.table("rows")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _column_type(hint: Any) -> str:
    """Return the DuckDB type of a row's field; one that is a number or several is a list."""
    variants = types_in(hint)
    if Ellipsis in variants:  # the hint itself is tuple[X, ...]
        return f"{_COLUMN_TYPES.get(variants[0], 'VARCHAR')}[]"
    lists = [variant for variant in variants if get_args(variant)]
    return _column_type(lists[0]) if lists else _COLUMN_TYPES.get(variants[0], "VARCHAR")


def _typed(value: Any, kind: str) -> Any:
    plain = value if isinstance(value, datetime) else data_value(value)
    return [plain] if kind.endswith("[]") and plain is not None and not isinstance(plain, list) else plain
