"""Make stores at temporary places."""

from __future__ import annotations

from pathlib import Path

import duckdb

from core.errors import CornerstoneError
from store.file.cause import cause_of
from store.file.database import writing


def make_empty(place: Path, what: str) -> None:
    """Make an empty store at a temporary place.

    Args:
        place: the file to make.
        what: what cannot be done without it, as in "cannot write new.duckdb": nobody knows the temporary place.

    Raises:
        CornerstoneError: it cannot be made.
    """
    try:
        with writing(place):
            pass
    except CornerstoneError as error:
        cause = error.__cause__
        if isinstance(cause, duckdb.OutOfMemoryException):
            raise
        raise CornerstoneError(f"{what}: {cause_of(cause) if isinstance(cause, Exception) else error}") from error
