"""Rows as CSV, JSON or Parquet: the same columns everywhere, numbers as numbers, files whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import duckdb

from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file

FORMATS = ("csv", "json", "parquet")
# A spreadsheet takes a text that begins like this for a formula; it reads full-width signs as plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_COLUMN_TYPES = {int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", datetime: "TIMESTAMP"}
_BATCH = 10_000


def columns_of(row_type: type) -> tuple[str, ...]:
    """The column names of a row dataclass, in order."""
    return tuple(field.name for field in fields(row_type))


def to_json(rows: Sequence[Any]) -> str:
    """A JSON list of objects in ASCII; what is undefined or infinite is null."""
    return json.dumps([_record(row) for row in rows], indent=1, allow_nan=False) + "\n"


def to_csv(rows: Sequence[Any], row_type: type) -> str:
    """Comma-separated values with a header; lists as JSON; text that a spreadsheet would run is defused."""
    out = io.StringIO()
    writer = csv.writer(_Lines(out))
    writer.writerow(columns_of(row_type))
    writer.writerows([_cell(value) for value in _record(row).values()] for row in rows)
    return out.getvalue()


class _Lines:
    """Ends lines with a newline alone. Told of that end, older Pythons would leave a lone carriage return unquoted."""

    def __init__(self, out: io.StringIO) -> None:
        self._out = out

    def write(self, line: str) -> int:
        return self._out.write(line.removesuffix("\r\n") + "\n")


def write(rows: Sequence[Any], row_type: type, form: str, path: Path, *, force: bool) -> None:
    """Write rows to a file, which is there as a whole or not at all.

    Args:
        rows: of one table.
        row_type: their dataclass.
        form: one of ``FORMATS``. In Parquet every ``gold`` is a list.
        path: of the file.
        force: replace a file that is there.

    Raises:
        CornerstoneError: it is a folder, the file is there and may not be replaced, or it cannot be written.
    """
    try:
        with whole_file(path, force=force) as fresh:
            if form == "parquet":
                _write_parquet(rows, row_type, fresh)
            else:
                text = to_csv(rows, row_type) if form == "csv" else to_json(rows)
                fresh.write_text(text, encoding="utf-8", newline="")
    except duckdb.IOException as error:
        raise CornerstoneError(f"cannot write {path}: {str(error).splitlines()[0]}") from error


def _write_parquet(rows: Sequence[Any], row_type: type, path: Path) -> None:
    hints = get_type_hints(row_type)
    types = {name: _column_type(hints[name]) for name in columns_of(row_type)}
    with duckdb.connect() as db:
        db.execute("CREATE TABLE rows (" + ", ".join(f'"{name}" {kind}' for name, kind in types.items()) + ")")
        fill = "INSERT INTO rows SELECT " + ", ".join(f"unnest(?::{kind}[])" for kind in types.values())
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            db.execute(fill, [[_typed(getattr(row, name), kind) for row in batch] for name, kind in types.items()])
        db.table("rows").write_parquet(str(path))


def _column_type(hint: Any) -> str:
    """The DuckDB type of a row's field; one that is a number or several is a list."""
    variants = [variant for variant in (get_args(hint) or (hint,)) if variant is not NoneType]
    if Ellipsis in variants:  # the hint itself is tuple[X, ...]
        return f"{_COLUMN_TYPES.get(variants[0], 'VARCHAR')}[]"
    lists = [variant for variant in variants if get_args(variant)]
    return _column_type(lists[0]) if lists else _COLUMN_TYPES.get(variants[0], "VARCHAR")


def _typed(value: Any, kind: str) -> Any:
    plain = value if isinstance(value, datetime) else _plain(value)
    return [plain] if kind.endswith("[]") and plain is not None and not isinstance(plain, list) else plain


def _record(row: Any) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in columns_of(type(row))}


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case tuple():
            return [_plain(item) for item in value]
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case _:
            return value


def _cell(value: Any) -> Any:
    match value:
        case list():
            return json.dumps(value)
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value
