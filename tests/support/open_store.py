"""A store that stays open in this process: DuckDB shares what is open, so that opening it again costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.file.database import _connection, reading


@contextmanager
def open_for_reading(path: Path) -> Iterator[None]:
    """Keep the store open for reading; in the block this process cannot write to it."""
    with reading(path):
        yield


@contextmanager
def open_for_writing(path: Path, patience: float) -> Iterator[None]:
    """Keep the store open for writing; in the block nobody can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _connection(path, patience, read_only=False):
        yield
