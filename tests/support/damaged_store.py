"""Stores to damage: a real one with its write-ahead log, copies of it, and flipped bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np

from core.records.records import Assignment
from store.file.connection import SETTINGS
from store.file.place import log_of
from store.file.schema import COLUMNS
from store.recorder import StoreRecorder
from tests.support.store_records import assignment, documents, keep, outcome, run

COALITIONS = [(), (0,), (1,), (0, 1)]
FIRST = assignment(documents(range(60)), COALITIONS)
LATER = assignment(documents(range(60, 70)), COALITIONS)
HEADERS = 3 * 4096
BLOCK = 262144


def make_store(path: Path, asked: Assignment = FIRST, seed: int = 0, run_id: str = "run1") -> Path:
    """Store outcomes whose log-probabilities are drawn at random; return the file."""
    rng = np.random.default_rng(seed)
    outcomes = [
        outcome(document.key, removed, logprobs=(-40 * rng.random(4)).tolist(), metrics={"acc": 1.0, "brier": 0.25})
        for document in asked.documents
        for removed in asked.coalitions
    ]
    keep(path, asked, outcomes, run_id=run_id)
    return path


def leave_log(path: Path) -> None:
    """Record the outcomes of ``LATER`` into a store, as a program does that is killed before DuckDB merges its log."""
    with duckdb.connect(str(path), config=SETTINGS) as held:
        held.execute("PRAGMA disable_checkpoint_on_shutdown")
        recorder = StoreRecorder(path)
        recorder.begin(run("run2"))
        recorder.assign("run2", LATER)
        for document in LATER.documents:
            recorder.record("run2", LATER, [outcome(document.key, removed) for removed in LATER.coalitions])
    assert log_of(path).stat().st_size > 0


def copied(store: Path, path: Path) -> Path:
    """Copy a store with its log, if it has one."""
    shutil.copy(store, path)
    if log_of(store).exists():
        shutil.copy(log_of(store), log_of(path))
    return path


def flip(path: Path, *places: int) -> None:
    """Change the bytes at these places."""
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= 0x5A
    path.write_bytes(content)


def wipe(path: Path, first: int, size: int) -> None:
    """Overwrite a part of a file with bytes that say nothing."""
    content = bytearray(path.read_bytes())
    content[first : first + size] = b"\xa5" * size
    path.write_bytes(content)


def contents(path: Path) -> tuple[bytes, bytes | None]:
    """Return the bytes of a store and of its log."""
    log = log_of(path)
    return path.read_bytes(), log.read_bytes() if log.exists() else None


def change(path: Path, *statements: str) -> None:
    """Change a store by SQL."""
    with duckdb.connect(str(path), config=SETTINGS) as db:
        for statement in statements:
            db.execute(statement)


def index_blocks(path: Path) -> list[int]:
    """Return the places of the blocks that hold no rows: those of the indexes, and unused ones."""
    used = {HEADERS}.union(*(blocks_of(path, table) for table in COLUMNS))
    return sorted(set(range(HEADERS, path.stat().st_size, BLOCK)) - used)


def blocks_of(path: Path, table: str, column: str | None = None) -> set[int]:
    """Return the places of the blocks that hold rows of a table, or those of one column."""
    with duckdb.connect(str(path), read_only=True, config=SETTINGS) as db:
        rows = db.execute(
            "SELECT block_id, additional_block_ids FROM pragma_storage_info(?) WHERE ? IS NULL OR column_name = ?",
            [table, column, column],
        ).fetchall()
    numbers = {int(number) for first, more in rows for number in (first, *more)} - {-1}
    return {HEADERS + number * BLOCK for number in numbers}
