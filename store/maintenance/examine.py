"""The work of a check, in a process of its own: it tells what it finds as it goes, in case that DuckDB ends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from core.errors import CornerstoneError, Mend
from store.file.cause import cause_of
from store.file.place import shown
from store.file.rules import RULES
from store.maintenance.apart import Tell, wait_for
from store.maintenance.blocks import HEADER, Damaged, damaged, layout
from store.maintenance.connection import COLUMNS, KEYS, Reader, UnreadableError, attach, engine, quoted, tables_of
from store.maintenance.lock import locked
from store.maintenance.log import log_files, read_log
from store.maintenance.scratch import make_empty


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A column that cannot be read in full: its table, its name, how many columns the table has, and why."""

    table: str
    column: str
    of: int
    why: str


def examine(tell: Tell, path: Path, patience: float, quick: bool) -> None:
    """Read a store, and tell pairs of a kind (problem, unreadable, note, doing, version, outcomes) and what was found.

    Args:
        tell: is given each pair.
        path: the file of the store.
        patience: seconds to wait while another program writes to it.
        quick: leave out what needs all rows, unless a block is damaged.

    Raises:
        CornerstoneError: it is no store of this program, or stays in use.
    """
    with (
        locked(path, wait_for(path, patience, tell)) as descriptor,
        TemporaryDirectory(prefix="cornerstone-") as folder,
    ):
        blocks = _examine_bytes(tell, path, descriptor)
        with Reader(path, Path(folder)) as reader:
            _Contents(tell, path, reader, Path(folder)).examine(blocks, quick=quick)


def _examine_bytes(tell: Tell, path: Path, descriptor: int) -> list[Damaged]:
    """Tell of damaged headers, a missing end and a damaged log; return the damaged blocks."""
    # Closing another descriptor of the file would end the lock.
    with open(descriptor, "rb", closefd=False) as file:
        start, planned, bad = file.read(HEADER), layout(file), list(damaged(file))
    size = os.fstat(descriptor).st_size
    for one in bad:
        if one.block is None:
            tell(("problem", f"the header at byte {one.offset} is damaged"))
    if planned is not None and size < planned.size:
        if (size - 3 * HEADER) % planned.block_size:
            tell(("problem", f"the file was cut off: it has {size} bytes, and should have {planned.size}"))
        else:
            # DuckDB cuts off unused blocks itself, and counts them still.
            bad.append(Damaged(planned.block_at(size), size, None))
    for log in log_files(path):
        state = read_log(log.read_bytes(), start, 0 if planned is None else planned.checkpoint).state
        if state == "damaged":
            tell(("problem", f"the write-ahead log {log.name} is damaged"))
        elif state == "unfinished":
            tell(("note", f"the write-ahead log {log.name} ends within a write, which was not finished or was cut off"))
    return [one for one in bad if one.block is not None]


class _Contents:
    """Reads the tables of a store. A query that fails is a problem, and does not keep the others from being tried."""

    def __init__(self, tell: Tell, path: Path, reader: Reader, folder: Path) -> None:
        self._tell, self._path, self._reader, self._folder = tell, path, reader, folder
        self._failed: set[str] = set()

    def examine(self, blocks: Sequence[Damaged], *, quick: bool) -> None:
        """Read everything, or with ``quick`` the schema only; ``blocks`` are those with a wrong checksum."""
        try:
            found = tables_of(self._reader.ask(COLUMNS))
        except UnreadableError as error:
            self._tell(("problem", f"DuckDB cannot open it: {error}"))
            return
        if "schema_version" not in found.get("meta", {}):
            raise CornerstoneError(
                f"{shown(self._path)} is a DuckDB file, but no store of this program", Mend.OTHER_STORE
            )
        version = self._examine_schema(found)
        if "outcomes" in found:
            self._tell(("outcomes", self._value("SELECT count(*) FROM outcomes", "outcomes")))
        if quick and not blocks:
            return
        self._read_columns(found)
        if not self._failed:
            self._examine_counter()
        for rule in RULES:
            if rule.since <= version and not self._failed.intersection((rule.table, *rule.reads)):
                self._tell(("doing", f"while it checked {rule.table}"))
                count = self._value(f"SELECT count(*) FROM {rule.table} WHERE {rule.broken}", rule.table)
                if count:
                    self._tell(("problem", f"{count} of the {rule.table} {rule.said}"))
        if blocks and not self._failed:
            self._examine_indexes(blocks)

    def _value(self, query: str, table: str) -> Any:
        try:
            return self._reader.one(query)
        except UnreadableError as error:
            self._tell(("problem", f"{table} cannot be read: {error}"))
            self._failed.add(table)
            return None

    def _examine_schema(self, found: dict[str, dict[str, str]]) -> int:
        """Return the version of the schema; tell of tables, columns and keys that are not as this version makes them.

        Raises:
            CornerstoneError: the schema is newer than this version's.
        """
        expected = self._folder / "expected"
        make_empty(expected, f"cannot check {shown(self._path)}: nothing can be written in {self._folder.parent}")
        with Reader(expected, self._folder) as new:
            wanted, keys, known = tables_of(new.ask(COLUMNS)), new.ask(KEYS), new.one("SELECT schema_version FROM meta")
        version = self._value("SELECT max(schema_version) FROM meta", "meta")
        if version is not None and version > known:
            said = f"(schema {version}, this one knows {known})"
            raise CornerstoneError(
                f"{shown(self._path)} was written by a newer version of this program {said}", Mend.UPGRADE
            )
        self._tell(("version", version))
        if version is None and "meta" not in self._failed:
            self._tell(("problem", "the version of its schema is missing"))
        if version not in {known, None}:
            self._tell(("note", "its schema is older, and is brought up to date when the store is next written to"))
            return int(version)
        for table, its in wanted.items():
            for sentence in _differences(table, its, found.get(table)):
                self._failed.add(table)
                self._tell(("problem", sentence))
        kept = self._reader.ask(KEYS)
        for table, kind, names in keys:
            if table not in self._failed and (table, kind, names) not in kept:
                self._tell(("problem", f"the table {table} does not have the {kind.lower()} ({names})"))
        return int(known)

    def _read_columns(self, found: dict[str, dict[str, str]]) -> None:
        for table, its in found.items():
            for name in its:
                self._tell(("doing", f"while it read the column {name} of {table}"))
                try:
                    self._reader.ask(f"SELECT count(*), bit_xor(hash({quoted(name)})) FROM {quoted(table)}")
                except UnreadableError as error:
                    self._tell(("unreadable", Unreadable(table, name, len(its), str(error))))
                    self._failed.add(table)

    def _examine_counter(self) -> None:
        """Tell if the next number that the store would give to a row is taken."""
        numbers = {"models": "model", "tasks": "task", "datasets": "dataset", "documents": "document"}
        highest = " UNION ALL ".join(
            f"SELECT max({key}) AS n FROM {table}" for table, key in {**numbers, "coalitions": "coalition"}.items()
        )
        counter = "SELECT last_value FROM duckdb_sequences() WHERE database_name = 'file' AND sequence_name = 'ids'"
        if self._value(f"SELECT (SELECT max(n) FROM ({highest})) > coalesce(({counter}), 0)", "the counter of rows"):
            self._tell(("problem", "the counter from which new rows get their numbers is behind"))

    def _examine_indexes(self, blocks: Sequence[Damaged]) -> None:
        """Tell whether damaged blocks that no column uses are of an index. If they are not, they hold nothing."""
        self._tell(("doing", "while it read the indexes"))
        for file in (*log_files(self._path), self._path):  # to close the store ends its lock
            shutil.copyfile(file, self._folder / file.name.replace(self._path.name, "copy", 1))
        where = ", ".join(str(one.offset) for one in blocks)
        try:
            with engine(self._folder) as db:
                attach(db, self._folder / "copy", "copy", read_only=False)
                db.execute("USE copy")
                for table in {str(row[0]) for row in db.execute(KEYS).fetchall()}:
                    # This looks up each key in each index.
                    db.execute(f"DELETE FROM {quoted(table)}")
        except duckdb.Error as error:
            self._tell(("problem", f"an index is damaged (at byte {where}): {cause_of(error)}"))
        else:
            self._tell(("note", f"the blocks at byte {where} are damaged, but hold nothing"))


def _differences(table: str, wanted: dict[str, str], found: dict[str, str] | None) -> list[str]:
    if found is None:
        return [f"the table {table} is missing"]
    said = [f"the table {table} does not have the column {name}" for name in wanted if name not in found]
    said += [f"the table {table} has a column {name} that no store has" for name in found if name not in wanted]
    said += [
        f"the column {name} of {table} is {found[name]} in place of {kind}"
        for name, kind in wanted.items()
        if found.get(name, kind) != kind
    ]
    return said
