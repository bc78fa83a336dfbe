"""Copy the rows of a damaged store that can be read, in pieces where a whole table cannot be read at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.maintenance.apart import Tell
from store.maintenance.connection import COLUMNS, Reader, UnreadableError, tables_of

Piece = tuple[str, int, int]
"""A table, and its first and last row."""

SMALLEST: Final = 2048
"""DuckDB reads this many rows at once."""

PLACEHOLDERS: Final = {
    "documents": {"prompt": "''"},
    "runs": {
        "started": "TIMESTAMP '1970-01-01'",
        "finished": "CAST(NULL AS TIMESTAMP)",
        "state": "'stopped'",
        "command": "''",
        "config": "'{}'",
        "versions": "'{}'",
        "seed": "0",
    },
}
"""What stands in for columns that cannot be read, and on which no number depends."""

_OLDER: Final = {("models", "layers"): "[player // 2 FOR player IN range(len(kinds))]"}
"""What a column holds that a store of an earlier version does not have, as the upgrade fills it."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """The rows of one table that were copied, of how many (None if unknown), and how many have placeholders."""

    table: str
    copied: int
    of: int | None
    placeholders: int = 0


def extract(
    tell: Tell, source: Path, target: Path, wanted: dict[str, dict[str, str]], skipped: Collection[Piece]
) -> list[Extracted]:
    """Copy what can be read of each table into a new file, whose tables have no keys.

    Args:
        tell: is given each piece before it is read, in case that DuckDB ends the process.
        source: the damaged file. It is only read.
        target: the file to make.
        wanted: the columns of each table, with their types.
        skipped: the pieces that have ended the process before.

    Raises:
        UnreadableError: the file cannot be opened.
    """
    with Reader(source, target.parent, target) as reader:
        found = tables_of(reader.ask(COLUMNS))
        copies = []
        for table, its in wanted.items():
            names = ", ".join(f'"{name}" {kind}' for name, kind in its.items())
            reader.ask(f'CREATE TABLE target."{table}" ({names})')
            if found.get(table):
                copies.append(_Table(tell, reader, table, its, found[table], skipped).copy())
            else:
                copies.append(Extracted(table, 0, None))
        return copies


class _Table:
    """Copies one table."""

    def __init__(
        self,
        tell: Tell,
        reader: Reader,
        table: str,
        wanted: dict[str, str],
        found: dict[str, str],
        skipped: Collection[Piece],
    ) -> None:
        self._tell, self._reader, self._table, self._wanted = tell, reader, table, wanted
        self._found, self._skipped = found, skipped
        self._placeholders = 0

    def copy(self) -> Extracted:
        try:
            total = int(self._reader.one(f'SELECT count(*) FROM "{self._table}"'))
            last = self._reader.one(f'SELECT max(rowid) FROM "{self._table}"')
        except UnreadableError:
            return Extracted(self._table, 0, None)
        copied = 0 if last is None else self._copy(0, int(last))
        return Extracted(self._table, copied, total, self._placeholders)

    def _copy(self, first: int, last: int) -> int:
        """Copy the rows from ``first`` to ``last``, or the parts of them that can be read; return their number."""
        try:
            return self._insert(first, last, {})
        except UnreadableError:
            pass
        if last - first >= SMALLEST:
            middle = first + (last - first + 1) // 2 // SMALLEST * SMALLEST
            middle = max(middle // SMALLEST * SMALLEST, first + SMALLEST)
            return self._copy(first, middle - 1) + self._copy(middle, last)
        lost = PLACEHOLDERS.get(self._table)
        if lost is None:
            return 0
        try:
            copied = self._insert(first, last, lost)
        except UnreadableError:
            return 0
        self._placeholders += copied
        return copied

    def _insert(self, first: int, last: int, placeholders: dict[str, str]) -> int:
        piece = (f"{self._table} {bool(placeholders)}", first, last)
        if piece in self._skipped:
            raise UnreadableError("it ended the process")
        self._tell(piece)
        values = ", ".join(placeholders.get(name, self._read(name, kind)) for name, kind in self._wanted.items())
        rows = self._reader.ask(
            f'INSERT INTO target."{self._table}" SELECT {values} FROM "{self._table}" WHERE rowid BETWEEN ? AND ?',
            [first, last],
        )
        return int(rows[0][0])

    def _read(self, name: str, kind: str) -> str:
        """Return the SQL of a column, which may be of another type or missing in a store of an odd schema."""
        default = PLACEHOLDERS.get(self._table, {}).get(name) or _OLDER.get((self._table, name), "NULL")
        return f'TRY_CAST("{name}" AS {kind})' if name in self._found else f"CAST({default} AS {kind})"
