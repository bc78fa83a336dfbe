"""DuckDB's log beside a store: find damage in it that DuckDB would take for its end.

The log has a header without a checksum, and then entries: size, checksum, content. DuckDB drops an entry that goes on
beyond the end of the file, because a killed program leaves one. With a wrong size in the middle it silently drops all
transactions from there on, and with a wrong header all of them. Damaged contents it refuses itself.
"""

from __future__ import annotations

import struct
from pathlib import Path

from store.file.place import log_of

# The header is an entry of kind 98 in field 100. Field 101 is the version.
_START = b"\x64\x00\x62\x65\x00"
_VERSIONS = range(1, 4)
_IDENTIFIER, _IDENTIFIER_SIZE, _CHECKPOINT = b"\x66\x00", 16, b"\x67\x00"
_OBJECT_END = b"\xff\xff"
_LONGEST_HEADER = 64
_LEAD = 16
# The entry that ends a transaction: its content, and before it its size.
_COMMIT = b"\x64\x00\x64\xff\xff"
_COMMIT_SIZE = struct.pack("<Q", len(_COMMIT))


def fault_of_log(path: Path) -> str | None:
    """Return in words what is wrong with the log of a store; None if nothing is that DuckDB would not refuse itself.

    A log that ends within a transaction is sound: that transaction was never committed. Call it while no program
    writes to the store.
    """
    try:
        content = log_of(path).read_bytes()
    except FileNotFoundError:
        return None
    if len(content) < _LONGEST_HEADER and _COMMIT not in content:
        return None  # nothing was ever committed to it
    at = _header_end(content)
    if at is None:
        return "the header of its log cannot be read"
    while at < len(content):
        size = int.from_bytes(content[at : at + 8], "little")
        if at + _LEAD + size > len(content):
            return f"an entry of its log cannot be read, at byte {at}" if _has_commit(content[at:]) else None
        at += _LEAD + size
    return None


def _header_end(content: bytes) -> int | None:
    """Return where the header ends; None if it is damaged. A log of another version is left to DuckDB."""
    if not content.startswith(_START):
        return None
    version = content[len(_START)]
    if version not in _VERSIONS:
        return len(content)
    at = len(_START) + 1
    if version > 1:
        at = _after(content, at, _IDENTIFIER, numbers=1)
        at = _after(content, at, b"", numbers=_IDENTIFIER_SIZE)
        at = _after(content, at, _CHECKPOINT, numbers=1)
    end = at + len(_OBJECT_END)
    return end if content[at:end] == _OBJECT_END else None


def _after(content: bytes, at: int, field: bytes, *, numbers: int) -> int:
    """Return the place after a field and its numbers, of seven bits a byte; the end of the log if the field differs."""
    if content[at : at + len(field)] != field:
        return len(content)
    at += len(field)
    for _ in range(numbers):
        while at < len(content) and content[at] & 0x80:
            at += 1
        at += 1
    return at


def _has_commit(rest: bytes) -> bool:
    """Return whether a transaction was committed in the rest of a log, whose first entry has a wrong size."""
    found = rest.find(_COMMIT, _LEAD)
    while found >= 0:
        ends = rest[found - _LEAD : found - _LEAD + 8] == _COMMIT_SIZE or found + len(_COMMIT) == len(rest)
        if ends:
            return True
        found = rest.find(_COMMIT, found + 1)
    # The wrong size may be that of the last entry of all.
    return rest[_LEAD:] == _COMMIT
