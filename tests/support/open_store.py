"""A store that stays open in this process: DuckDB shares what is open, so that opening it again costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from store.file.connection import SETTINGS
from store.file.database import reading, writing


@contextmanager
def open_for_reading(path: Path) -> Iterator[None]:
    """Keep the store open for reading; in the block this process cannot write to it."""
    with reading(path):
        yield


@contextmanager
def open_for_writing(path: Path) -> Iterator[None]:
    """Keep the store open for writing; in the block nobody can read it."""
    with writing(path):
        pass
    with duckdb.connect(str(path), config=SETTINGS):
        yield
