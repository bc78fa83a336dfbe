"""Comma-separated values with a header; lists as JSON; text that a spreadsheet would run is defused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from store.formats.columns import columns_of, record
from store.formats.format import Format

# A spreadsheet takes a text that begins like this for a formula; it reads full-width signs as plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _render(rows: Sequence[Any], row_type: type) -> str:
    out = io.StringIO()
    writer = csv.writer(_Lines(out))
    writer.writerow(columns_of(row_type))
    writer.writerows([_cell(value) for value in record(row).values()] for row in rows)
    return out.getvalue()


class _Lines:
    """Ends lines with a newline alone. Told of that end, older Pythons would leave a lone carriage return unquoted."""

    def __init__(self, out: io.StringIO) -> None:
        self._out = out

    def write(self, line: str) -> int:
        return self._out.write(line.removesuffix("\r\n") + "\n")


def _cell(value: Any) -> Any:
    match value:
        case list():
            return json.dumps(value)
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value


FORMAT = Format("csv", (".csv",), "for spreadsheets", render=_render)
