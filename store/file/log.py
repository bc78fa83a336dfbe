"""DuckDB's log beside a store: find damage in it that DuckDB would take for its end.

The log has a header without a checksum, and then entries: size, checksum, content. DuckDB drops an entry that goes on
beyond the end of the file, because a killed program leaves one. With a wrong size in the middle it silently drops all
transactions from there on, and with a wrong header all of them. Damaged contents it refuses itself.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.file.place import log_of

LEAD: Final = 16
"""The bytes before the content of an entry: its size, and its checksum."""

COMMIT: Final = b"\x64\x00\x64\xff\xff"
"""The content of the entry that ends a transaction."""

LONGEST_HEADER: Final = 64

# The header is an entry of kind 98 in field 100.
_START = b"\x64\x00\x62"
_VERSION, _IDENTIFIER, _CHECKPOINT = 101, 102, 103
_OBJECT_END = b"\xff\xff"
_KNOWN = range(1, 4)
_COMMIT_SIZE = struct.pack("<Q", len(COMMIT))


@dataclass(frozen=True, slots=True)
class LogHeader:
    """The header of a log, and its own size in bytes.

    ``identifier`` is that of the store, and ``checkpoint`` the number of the store's last checkpoint before it. Logs of
    the file formats before DuckDB 1.4 have neither: an empty identifier, and None.
    """

    version: int
    identifier: bytes
    checkpoint: int | None
    size: int

    @property
    def is_known(self) -> bool:
        """Return whether this code knows logs of that version."""
        return self.version in _KNOWN


def header_of(content: bytes) -> LogHeader | None:
    """Read the header of a log; None if it is not complete or not of the known form."""
    if not content.startswith(_START):
        return None
    reader = _Reader(content[:LONGEST_HEADER], len(_START))
    version, identifier, checkpoint = reader.field(_VERSION), b"", None
    if not reader.ends():
        length = reader.field(_IDENTIFIER)
        identifier = bytes(reader.number() & 0xFF for _ in range(min(length, 16)))
        checkpoint = reader.field(_CHECKPOINT)
    if not reader.good or not reader.ends():
        return None
    return LogHeader(version, identifier, checkpoint, reader.at + len(_OBJECT_END))


def fault_of_log(path: Path) -> str | None:
    """Return in words what is wrong with the log of a store; None if nothing is that DuckDB would not refuse itself.

    A log that ends within a transaction is sound: that transaction was never committed. Call it while no program
    writes to the store.
    """
    try:
        content = log_of(path).read_bytes()
    except FileNotFoundError:
        return None
    if len(content) < LONGEST_HEADER and COMMIT not in content:
        return None  # nothing was ever committed to it
    if content.startswith(_START) and content[len(_START) + 2] not in _KNOWN:
        return None  # DuckDB knows whether it can read that version
    header = header_of(content)
    if header is None:
        return "the header of its log cannot be read"
    at = header.size
    while at < len(content):
        size = int.from_bytes(content[at : at + 8], "little")
        if at + LEAD + size > len(content):
            return f"an entry of its log cannot be read, at byte {at}" if _has_commit(content[at:]) else None
        at += LEAD + size
    return None


def _has_commit(rest: bytes) -> bool:
    """Return whether a transaction was committed in the rest of a log, whose first entry has a wrong size."""
    found = rest.find(COMMIT, LEAD)
    while found >= 0:
        ends = rest[found - LEAD : found - LEAD + 8] == _COMMIT_SIZE or found + len(COMMIT) == len(rest)
        if ends:
            return True
        found = rest.find(COMMIT, found + 1)
    # The wrong size may be that of the last entry of all.
    return rest[LEAD:] == COMMIT


class _Reader:
    """Reads fields, each a number of two bytes and a value of variable length, seven bits a byte."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self.at, self.good = content, at, True

    def ends(self) -> bool:
        """Return whether the object ends here."""
        return self._content[self.at : self.at + len(_OBJECT_END)] == _OBJECT_END

    def field(self, number: int) -> int:
        found = self._content[self.at : self.at + 2]
        self.good = self.good and found == number.to_bytes(2, "little")
        self.at += 2
        return self.number()

    def number(self) -> int:
        value = shift = 0
        while self.at < len(self._content):
            byte = self._content[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value
        self.good = False
        return 0
