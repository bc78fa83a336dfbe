"""Copy what can be read of a damaged store into a new one, which is sound."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

import duckdb

from core.errors import CornerstoneError
from core.machine.atomic_file import refuse_target
from store.file.patience import OnWait
from store.file.place import is_there, shown
from store.file.rules import RULES
from store.file.waiting import Waiting
from store.maintenance.apart import CrashError, Tell, apart, wait_for
from store.maintenance.blocks import HEADER, correct, forget_newest_header, layout
from store.maintenance.check import refuse_other_files
from store.maintenance.connection import COLUMNS, Reader, UnreadableError, attach, engine, tables_of
from store.maintenance.extract import PLACEHOLDERS, Extracted, Piece, extract
from store.maintenance.lock import locked
from store.maintenance.log import log_files, read_log
from store.maintenance.scratch import make_empty
from store.maintenance.swap import replaced

_MOST_CRASHES: Final = 100


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved of one table: how many rows, of how many (None if unknown), and what else is to be said."""

    table: str
    saved: int
    of: int | None
    dropped: tuple[tuple[int, str], ...] = ()
    placeholders: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing of the table is lost."""
        return self.saved == self.of and not self.placeholders


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was saved of a store.

    Attributes:
        tables: what was saved of each table.
        corrected: how many blocks had one wrong byte, which was put right.
        how: what was left out to read the file at all, in words; empty if nothing was.
    """

    tables: tuple[Saved, ...]
    corrected: int
    how: str

    @property
    def outcomes(self) -> Saved:
        """What was saved of the outcomes."""
        return next(each for each in self.tables if each.table == "outcomes")


@dataclass(frozen=True, slots=True)
class NothingSaved:
    """No outcome could be saved. ``why`` says the reason."""

    why: str


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to read a copy of the file, and what it leaves out, in words."""

    prepare: Callable[[Path], bool]
    how: str


def salvage(
    path: Path, output: Path, *, force: bool, patience: float, on_wait: OnWait | None = None
) -> Salvaged | NothingSaved:
    """Copy what can be read of a store into a new one. The store itself is not touched.

    Args:
        path: the damaged store.
        output: the new store, which is written whole or not at all.
        force: replace the file that is there.
        patience: seconds to wait while another program writes to the store.
        on_wait: hears who that is, if it takes longer than 2 seconds.

    Returns:
        What was saved, or why no outcome could be read. Then nothing is written.

    Raises:
        CornerstoneError: ``path`` is no DuckDB file or stays in use, or ``output`` exists, is ``path``, or cannot be
            written.
    """
    is_there(output)
    refuse_target(output, force=force, over_store=True)
    refuse_other_files(path)
    path, output = path.resolve(), output.resolve()
    if output == path:
        raise CornerstoneError(
            f"{shown(path)} is the very store to be salvaged; name another file for what can be read of it"
        )
    try:
        with TemporaryDirectory(dir=output.parent, prefix=".cornerstone-") as name:
            folder = Path(name)
            with locked(path, Waiting(path, patience, on_wait)):
                for file in (*log_files(path), path):  # the log first: to close the store ends its lock
                    shutil.copyfile(file, folder / file.name.replace(path.name, "original", 1))
            return _salvage(folder, output, patience, on_wait)
    except OSError as error:
        raise CornerstoneError(f"cannot copy {shown(path)} to {shown(output.parent)}: {error.strerror}") from error


def _salvage(folder: Path, output: Path, patience: float, on_wait: OnWait | None) -> Salvaged | NothingSaved:
    original = folder / "original"
    make_empty(folder / "empty", f"cannot write {shown(output)}")
    corrected = correct(original, folder / "empty")
    with Reader(folder / "empty", folder) as reader:
        wanted = tables_of(reader.ask(COLUMNS))
    best: tuple[Path, list[Extracted], str] | None = None
    why: list[str] = []
    for at, way in enumerate(_WAYS):
        copy = folder / f"copy{at}"
        for file in (original, *log_files(original)):
            shutil.copyfile(file, folder / file.name.replace("original", copy.name, 1))
        if not way.prepare(copy):
            continue
        found = _extracted(copy, folder / f"rows{at}", wanted)
        if isinstance(found, str):
            why.append(found)
        elif best is None or _count(found) > _count(best[1]):
            best = folder / f"rows{at}", found, way.how
        if best is not None and all(each.copied == each.of and not each.placeholders for each in best[1]):
            break
    if best is None:
        return NothingSaved(f"DuckDB cannot open it: {why[0]}")
    rows, found, how = best
    how = how or (_MAY_BE_OLDER if corrected.may_be_older else "")
    try:
        saved: tuple[Saved, ...] | NothingSaved = apart(_write, rows, found, output, patience, not how, on_wait=on_wait)
    except CrashError as crash:
        raise CornerstoneError(f"cannot write {shown(output)}: {crash}") from crash
    if isinstance(saved, NothingSaved):
        return saved
    return Salvaged(saved, corrected.count, how)


def _with_log(copy: Path) -> bool:
    """Let a copy have its log as far as the log is right."""
    with copy.open("rb") as file:
        start, planned = file.read(HEADER), layout(file)
    for log in log_files(copy):
        if planned is not None:
            log.write_bytes(read_log(log.read_bytes(), start, planned.checkpoint).right)
    return True


def _without_log(copy: Path) -> bool:
    logs = log_files(copy)
    for log in logs:
        log.unlink()
    return bool(logs)


def _older(copy: Path) -> bool:
    _without_log(copy)
    return forget_newest_header(copy)


_WAYS: Final = (
    _Way(_with_log, ""),
    _Way(_without_log, "the write-ahead log was left out, which could not be read"),
    _Way(_older, "the state before the last write was taken, as the last one could not be read"),
)
_MAY_BE_OLDER: Final = "a header was lost, so what was written last may be missing"


def _count(found: list[Extracted]) -> tuple[int, int]:
    """Return the number of outcomes and of all rows, by which ways are compared."""
    return sum(each.copied for each in found if each.table == "outcomes"), sum(each.copied for each in found)


def _extracted(copy: Path, rows: Path, wanted: dict[str, dict[str, str]]) -> list[Extracted] | str:
    """Extract rows in another process, again and again without what has ended it; return why, if nothing was read."""
    crashed = ""
    skipped: list[Piece] = []
    for _ in range(_MOST_CRASHES):
        read: list[object] = []
        rows.unlink(missing_ok=True)
        try:
            found: list[Extracted] = apart(extract, copy, rows, wanted, tuple(skipped), told=read.append)
        except CrashError as crash:
            crashed = str(crash)
            if not read:
                return crashed
            skipped.append(cast("Piece", read[-1]))
        except UnreadableError as error:
            return str(error)
        else:
            return found
    return crashed


def _write(
    tell: Tell, rows: Path, found: list[Extracted], output: Path, patience: float, current: bool
) -> tuple[Saved, ...] | NothingSaved:
    """Write the new store; return what was saved of each table.

    Nothing is written if no outcome was saved, and the result says why, unless the ``current`` state has none.
    """
    with ExitStack() as stack:
        db = stack.enter_context(engine(rows.parent))
        attach(db, rows, "rows", read_only=False)
        attach(db, rows.parent / "empty", "empty")
        db.execute("USE rows")
        dropped = _obey(db, [each.table for each in found])
        saved = tuple(
            Saved(
                each.table,
                _number(db, f"SELECT count(*) FROM {each.table}"),
                each.of,
                tuple(dropped.get(each.table, ())),
                each.placeholders,
            )
            for each in found
        )
        outcomes = next(each for each in saved if each.table == "outcomes")
        if not outcomes.saved and not (current and outcomes.of == 0):
            return NothingSaved(_why_none(outcomes, next(each for each in found if each.table == "outcomes")))
        old = (
            stack.enter_context(locked(output, wait_for(output, patience, tell), alone=True))
            if output.exists()
            else None
        )
        with replaced(output, old) as fresh:
            make_empty(fresh, f"cannot write {shown(output)}")
            attach(db, fresh, "fresh", read_only=False)
            for each in found:
                if each.table != "meta":
                    db.execute(f"INSERT INTO fresh.{each.table} BY NAME SELECT * FROM {each.table}")
            highest = _number(db, f"SELECT coalesce(max(n), 0) FROM ({_NUMBERS})")
            # New rows get their numbers from a counter, which must be beyond those that are taken.
            db.execute("SELECT max(nextval('fresh.ids')) FROM range(?)", [highest])
            db.execute("CHECKPOINT fresh")
    return saved


def _why_none(saved: Saved, found: Extracted) -> str:
    """Return why no outcome is among those that were saved."""
    if found.of is None:
        return "the table of outcomes cannot be read"
    if not found.of:
        return "the state that can be read has none"
    said = [f"{number} {what}" for number, what in saved.dropped]
    lost = found.of - found.copied
    said = [f"{lost} are in parts that cannot be read", *said] if lost else said
    return f"of its {found.of} outcomes, {', '.join(said)}"


_NUMBERS: Final = " UNION ALL ".join(
    f"SELECT max({table.removesuffix('s')}) AS n FROM {table}"
    for table in ("models", "tasks", "datasets", "documents", "coalitions")
)


def _obey(db: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """Change or leave out the rows that break a rule; return their number and what is wrong, for each table."""
    dropped: dict[str, list[tuple[int, str]]] = {}
    for table in tables:
        needed = db.execute(
            """SELECT column_name FROM duckdb_columns()
            WHERE database_name = 'empty' AND table_name = ? AND NOT is_nullable""",
            [table],
        ).fetchall()
        for (name,) in needed:
            count = _number(db, f'DELETE FROM {table} WHERE "{name}" IS NULL')
            if count:
                dropped.setdefault(table, []).append((count, f"have no {name}"))
    # A run names the origin of outcomes. No number depends on it.
    placeholders = ", ".join(f"{value} AS {name}" for name, value in PLACEHOLDERS["runs"].items())
    db.execute(
        f"""INSERT INTO runs BY NAME SELECT run, {placeholders}
        FROM (SELECT run FROM outcomes UNION SELECT run FROM assignments) ANTI JOIN runs r USING (run)"""
    )
    for rule in RULES:
        change = f"UPDATE {rule.table} SET {rule.keep}" if rule.keep else f"DELETE FROM {rule.table}"
        count = _number(db, f"{change} WHERE {rule.broken}")
        if count:
            dropped.setdefault(rule.table, []).append((count, rule.said))
    return dropped


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the number that a query gives, such as that of the rows that it changes."""
    (number,) = db.execute(query).fetchone() or (0,)
    return int(number)
