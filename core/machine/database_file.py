"""Recognises the files of a DuckDB database, so that no output overwrites them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

LOG_ENDINGS: Final = (".wal", ".wal.checkpoint", ".wal.recovery")
"""DuckDB adds these to the name of a database for the logs that it keeps beside it until its next checkpoint."""

_MAGIC: Final = b"DUCK"
_MAGIC_AT: Final = slice(8, 12)
"""These bytes of the file, behind its first checksum, are the magic ones."""


def has_magic(start: bytes) -> bool:
    """Return whether a file that starts with these bytes, at least 12, is a DuckDB database by its magic bytes."""
    return start[_MAGIC_AT] == _MAGIC


def is_of_database(file: Path) -> bool:
    """Return whether a file is a DuckDB database, or a log beside one.

    Raises:
        OSError: it cannot be read.
    """
    for ending in LOG_ENDINGS:
        with suppress(FileNotFoundError):
            if file.name.endswith(ending) and is_of_database(file.with_name(file.name.removesuffix(ending))):
                return True
    with file.open("rb") as content:
        return has_magic(content.read(_MAGIC_AT.stop))
