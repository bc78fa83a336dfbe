"""DuckDB's write-ahead log as bytes: a header, and then entries, each led by its size and checksum."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from store.maintenance.checksum import checksum, corrected

ENDINGS: Final = (".wal", ".wal.checkpoint", ".wal.recovery")
"""What is added to the name of a store for the files that DuckDB keeps beside it until its next checkpoint."""

_LEAD: Final = 16
# Field 100 of an entry is its kind: 98 begins a log, and 100 ends a transaction.
_KIND: Final = b"\x64\x00\x62"
_END: Final = b"\xff\xff"
_LAST: Final = b"\x64\x00\x64\xff\xff"
_VERSIONS: Final = (1, 2, 3, 4)
_LONGEST_HEADER: Final = 64

State = Literal["whole", "unfinished", "damaged", "outdated"]


@dataclass(frozen=True, slots=True)
class Log:
    """The state of a write-ahead log, and its bytes as far as they are right, with corrections where possible.

    An ``unfinished`` log ends within an entry: a program was ended while it wrote, or the end was cut off. An
    ``outdated`` one is of an earlier checkpoint: all of it is in the store.
    """

    state: State
    right: bytes


def log_files(path: Path) -> tuple[Path, ...]:
    """Return the files of the write-ahead log that exist beside a store."""
    named = (path.with_name(path.name + ending) for ending in ENDINGS)
    return tuple(file for file in named if file.exists())


def read_log(content: bytes, main_header: bytes, checkpoint: int) -> Log:
    """Judge a write-ahead log.

    Args:
        content: the log's bytes.
        main_header: the first header of the store that it is beside.
        checkpoint: the number of the store's last checkpoint.
    """
    header = _header(content)
    if header is None:
        return Log("unfinished" if len(content) < _LONGEST_HEADER else "damaged", b"")
    if header.version not in _VERSIONS or header.identifier not in main_header or header.checkpoint > checkpoint:
        return Log("damaged", b"")
    if header.checkpoint < checkpoint:
        return Log("outdated", b"")
    return _entries(content, header.size)


def _entries(content: bytes, at: int) -> Log:
    right, damaged = bytearray(content[:at]), False
    while at < len(content):
        lead = content[at : at + _LEAD]
        data = _data(content, at) if len(lead) == _LEAD else None
        if data is None:
            # Nothing complete follows a write that was not finished.
            unfinished = not damaged and _reaches_end(content, at) and _LAST not in content[at + _LEAD :]
            return Log("unfinished" if unfinished else "damaged", bytes(right))
        entry = struct.pack("<QQ", len(data), checksum(data)) + data
        damaged = damaged or entry != content[at : at + len(entry)]
        right += entry
        at += len(entry)
    return Log("damaged" if damaged else "whole", bytes(right))


def _reaches_end(content: bytes, at: int) -> bool:
    """Return whether the entry that begins at ``at`` goes on to the end of the log, or further."""
    lead = content[at : at + _LEAD]
    return len(lead) < _LEAD or at + _LEAD + int.from_bytes(lead[:8], "little") > len(content)


def _data(content: bytes, at: int) -> bytes | None:
    """Return the data of the entry that begins at ``at``, corrected if one byte is wrong; None if that cannot be."""
    size, stored = struct.unpack_from("<QQ", content, at)
    data = content[at + _LEAD : at + _LEAD + size]
    if len(data) == size:
        found = data if checksum(data) == stored else corrected(data, stored)
        if found is not None:
            return found
    for byte in range(0, 64, 8):
        for value in range(256):
            other = (size & ~(0xFF << byte)) | (value << byte)
            data = content[at + _LEAD : at + _LEAD + other]
            if other == len(data) and checksum(data) == stored:
                return data
    return None


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of a log, and its own size in bytes."""

    version: int
    identifier: bytes
    checkpoint: int
    size: int


def _header(content: bytes) -> _Header | None:
    """Read the header; None if it is not complete or not of the known form."""
    if not content.startswith(_KIND):
        return None
    reader = _Reader(content[:_LONGEST_HEADER], len(_KIND))
    version = reader.field(101)
    length = reader.field(102)
    identifier = bytes(reader.number() & 0xFF for _ in range(min(length, 16)))
    checkpoint = reader.field(103)
    end = reader.at + len(_END)
    if not reader.good or content[reader.at : end] != _END:
        return None
    return _Header(version, identifier, checkpoint, end)


class _Reader:
    """Reads fields, each a number of two bytes and a value of variable length, seven bits a byte."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self.at, self.good = content, at, True

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
