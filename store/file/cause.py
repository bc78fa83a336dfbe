"""Word an error of DuckDB for a sentence: the cause alone, without its class, its advice, and names of other files."""

from __future__ import annotations

import re

_CLASS = re.compile(r"^(?:[A-Za-z ]+ Error: )+")
_ADVICE = re.compile(r"\. See also| This error signals|\n")
# DuckDB names what it could not do, and then why.
_WHY = "Original error: "
# DuckDB has one class for many causes, and several classes for one, so these go by its words.
_NOT_WRITTEN = (
    "No space left",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "Could not write",
    "Could not truncate",
    "Could not flush",
    "fsync",
)
# The operating system's own words come last, after the name of a file.
_OF_SYSTEM = re.compile(r'"[^"]*": ([A-Z][a-zA-Z /\-]+)$')
_OF_DAMAGE = {
    "computed checksum": "the checksum of a part of it is wrong",
    "Could not read enough bytes": "a part of it is missing",
    "WAL does not match": "its log is of another file",
    "This WAL was created for": "its log is of another file",
    "Failure while replaying WAL": "its log cannot be read",
}


def cause_of(error: Exception) -> str:
    """Return the cause of an error in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = _CLASS.sub("", _ADVICE.split(str(error).strip().rpartition(_WHY)[2], maxsplit=1)[0]).rstrip("!. ")
    for sign, words in _OF_DAMAGE.items():
        if sign in str(error):
            return words
    found = _OF_SYSTEM.search(text)
    return found[1] if found else text


def not_written(error: Exception) -> bool:
    """Return whether DuckDB could not write: a disk that is full, or the like."""
    return any(sign in str(error) for sign in _NOT_WRITTEN)
