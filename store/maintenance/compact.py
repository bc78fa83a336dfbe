"""Write a store anew, without the space of rows and blocks that are no longer in use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from core.errors import CornerstoneError, Mend
from store.file.cause import cause_of
from store.file.database import reading
from store.file.patience import OnWait
from store.file.place import shown
from store.maintenance.apart import CrashError, Tell, apart, wait_for
from store.maintenance.blocks import HEADER, damaged, layout
from store.maintenance.check import refuse_other_files
from store.maintenance.connection import attach, engine, quoted
from store.maintenance.lock import locked
from store.maintenance.log import log_files, read_log
from store.maintenance.swap import replaced


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was done to a store.

    Attributes:
        before: its size in bytes, with its write-ahead log.
        after: the same afterwards.
        mended: the places, in bytes, of headers and blocks that were damaged. They held no rows, so the new file, in
            which all is made anew, lacks nothing.
    """

    before: int
    after: int
    mended: tuple[int, ...] = ()


def compact(path: Path, patience: float, on_wait: OnWait | None = None) -> Compacted:
    """Write a store anew without dead space, and put it in its own place at once or not at all.

    Other programs wait meanwhile.

    Args:
        path: the file of the store.
        patience: seconds to wait while another program holds the file.
        on_wait: hears who that is, if it takes longer than 2 seconds.

    Raises:
        CornerstoneError: the file is no store, is damaged, stays in use, or cannot be written. It is as it was then.
    """
    refuse_other_files(path)
    path = path.resolve()
    if path.stat().st_nlink > 1:
        raise CornerstoneError(
            f"{shown(path)} has a second name (a hard link), which would keep the old file; remove one"
        )
    with reading(path, patience, on_wait):
        pass  # refuses what is no store
    try:
        found: Compacted = apart(_rewrite, path, patience, on_wait=on_wait)
    except CrashError as crash:
        said = f"the store {shown(path)} cannot be read in full, so it was left as it is ({crash})"
        raise CornerstoneError(said, Mend.SALVAGE_STORE, path) from crash
    except OSError as error:
        raise CornerstoneError(f"cannot write {shown(path)}: {cause_of(error)}") from error
    return found


def _rewrite(tell: Tell, path: Path, patience: float) -> Compacted:
    with (
        locked(path, wait_for(path, patience, tell), alone=True) as descriptor,
        TemporaryDirectory(dir=path.parent, prefix=".cornerstone-") as spill,
        engine(Path(spill)) as db,
    ):
        _refuse_damaged_log(path, descriptor)
        with open(descriptor, "rb", closefd=False) as file:  # closing another descriptor would end the lock
            mended = tuple(one.offset for one in damaged(file))
        before = sum(file.stat().st_size for file in (path, *log_files(path)))
        attach(db, path, "old", read_only=False)
        db.execute("CHECKPOINT old")
        with replaced(path, descriptor) as fresh:
            attach(db, fresh, "fresh", read_only=False)
            _copy(db)
            db.execute("CHECKPOINT fresh")
        after = path.stat().st_size
    return Compacted(before, after, mended)


def _refuse_damaged_log(path: Path, descriptor: int) -> None:
    """Refuse a log that DuckDB would drop, or replay in part, when it opens the file for writing."""
    with open(descriptor, "rb", closefd=False) as file:
        start, planned = file.read(HEADER), layout(file)
    for log in log_files(path):
        if planned is None or read_log(log.read_bytes(), start, planned.checkpoint).state == "damaged":
            raise CornerstoneError(
                f"the write-ahead log {shown(log)} is damaged; nothing was changed", Mend.SALVAGE_STORE, path
            )


def _copy(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("COPY FROM DATABASE old TO fresh")
    if _digests(db, "old") != _digests(db, "fresh"):
        raise CrashError("the copy differs from the store")


def _digests(db: duckdb.DuckDBPyConnection, name: str) -> dict[str, tuple[object, ...] | None]:
    """Return the number of rows of each table, and the sum of their hashes."""
    rows = db.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [name]).fetchall()
    return {
        f"{schema}.{table}": db.execute(
            f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {name}.{quoted(schema)}.{quoted(table)} t"
        ).fetchone()
        for schema, table in rows
    }
