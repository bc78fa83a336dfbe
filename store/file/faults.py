"""Say what went wrong with a store in a sentence: it is damaged, or cannot be written or read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from core.errors import CornerstoneError, Mend
from store.file.cause import cause_of, not_written
from store.file.connection import connected
from store.file.place import shown
from store.file.sound import damaged, fault_of
from store.file.waiting import Waiting

# DuckDB has one class for many causes, and several classes for one, so these go by its words.
_DAMAGED = (
    "Corrupt",
    "Could not read enough bytes",
    "Failure while replaying WAL",
    "This WAL was created for",
    "not a valid DuckDB database file",
    "Serialization Error",
    "Failed to deserialize",
)
# Not a fault of the file: it is only that the first error has closed it to other connections of this process.
_AFTER_ANOTHER = "database has been invalidated"
# What the code that reads raises, if the rows that it gets make no sense.
_DOUBTFUL = (duckdb.Error, LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
# How long a store that others use is waited for to look for damage.
_PATIENCE_S = 5.0


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Turn the errors of a damaged, full or unreadable store into sentences, and leave those of the program alone.

    If an error may be of either kind, the whole file is read to find out.

    Args:
        path: the file of the store.
        what: what is done with it, as in "cannot write to the store".

    Raises:
        CornerstoneError: the store is damaged, or cannot be opened, read or written.
    """
    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except _DOUBTFUL as error:
        sentence = _sentence(path, what, error)
        if sentence is None:
            raise
        raise sentence from error


def _sentence(path: Path, what: str, error: Exception) -> CornerstoneError | None:
    said = str(error)
    if isinstance(error, duckdb.Error):
        if not_written(error):
            return CornerstoneError(f"{what} {shown(path)}: {cause_of(error)}")
        if any(sign in said for sign in _DAMAGED):
            return damaged(path, cause_of(error))
        if isinstance(error, duckdb.IOException | duckdb.ConnectionException):
            return CornerstoneError(f"{what} {shown(path)}: {cause_of(error)}", Mend.OTHER_STORE)
    if isinstance(error, UnicodeDecodeError):  # DuckDB names damaged text in its errors
        return damaged(path, "it has text that is not UTF-8")
    found = _damage(path)
    if found is None and isinstance(error, duckdb.TransactionException | duckdb.FatalException):
        return CornerstoneError(f"{what} {shown(path)}: {cause_of(error)}")
    return found


def _damage(path: Path) -> CornerstoneError | None:
    """Read the whole store, and return the error of its damage; None if it has none, or it cannot be told."""
    try:
        with connected(path, Waiting(path, _PATIENCE_S, None), "", read_only=True) as connection:
            fault = fault_of(connection)
    except CornerstoneError as error:
        return error if error.mend == Mend.SALVAGE_STORE else None
    except (duckdb.Error, UnicodeDecodeError) as error:
        return None if _AFTER_ANOTHER in str(error) else damaged(path, cause_of(error))
    return None if fault is None else damaged(path, fault)
