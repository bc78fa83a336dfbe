"""Rows as CSV, JSON or Parquet: the same columns everywhere, numbers as numbers, files whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from core.errors import CornerstoneError

FORMATS = ("csv", "json", "parquet")
# A spreadsheet takes a text that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def columns_of(row_type: type) -> tuple[str, ...]:
    """The column names of a row dataclass, in order."""
    return tuple(field.name for field in fields(row_type))


def to_json(rows: Sequence[Any]) -> str:
    """A JSON list of objects; what is undefined is null, never NaN."""
    return json.dumps([_record(row) for row in rows], ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_csv(rows: Sequence[Any], row_type: type) -> str:
    """Comma-separated values with a header; lists as JSON; text that a spreadsheet would run is defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns_of(row_type))
    writer.writerows([_cell(value) for value in _record(row).values()] for row in rows)
    return out.getvalue()


def write(rows: Sequence[Any], row_type: type, form: str, path: Path, *, force: bool) -> None:
    """Write rows to a file.

    Raises:
        CornerstoneError: the file is there and may not be replaced, or it cannot be written.
    """
    if path.exists() and not force:
        raise CornerstoneError(f"{path} exists; add --force to replace it")
    try:
        with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
            fresh = Path(folder) / path.name
            if form == "parquet":
                _write_parquet(rows, fresh, Path(folder) / "rows.json")
            else:
                fresh.write_text(to_csv(rows, row_type) if form == "csv" else to_json(rows), encoding="utf-8")
            os.replace(fresh, path)
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def _write_parquet(rows: Sequence[Any], path: Path, scratch: Path) -> None:
    if not rows:
        raise CornerstoneError("there are no rows, and a Parquet file needs some to know its column types")
    scratch.write_text(to_json(rows), encoding="utf-8")
    with duckdb.connect() as db:
        source = db.read_json(str(scratch), sample_size=-1)
        source.write_parquet(str(path))


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
