"""DuckDB's write-ahead log as bytes: a header, and then entries, each led by its size and checksum."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from store.file.log import COMMIT, LEAD, LONGEST_HEADER, header_of
from store.file.place import logs_of
from store.maintenance.checksum import checksum, corrected

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
    return tuple(log for log in logs_of(path) if log.exists())


def read_log(content: bytes, main_header: bytes, checkpoint: int) -> Log:
    """Judge a write-ahead log.

    Args:
        content: the log's bytes.
        main_header: the first header of the store that it is beside.
        checkpoint: the number of the store's last checkpoint.
    """
    header = header_of(content)
    if header is None:
        return Log("unfinished" if len(content) < LONGEST_HEADER else "damaged", b"")
    before = checkpoint if header.checkpoint is None else header.checkpoint
    if not header.is_known or header.identifier not in main_header or before > checkpoint:
        return Log("damaged", b"")
    if before < checkpoint:
        return Log("outdated", b"")
    return _entries(content, header.size)


def _entries(content: bytes, at: int) -> Log:
    right, damaged = bytearray(content[:at]), False
    while at < len(content):
        lead = content[at : at + LEAD]
        data = _data(content, at) if len(lead) == LEAD else None
        if data is None:
            # Nothing complete follows a write that was not finished.
            unfinished = not damaged and _reaches_end(content, at) and COMMIT not in content[at + LEAD :]
            return Log("unfinished" if unfinished else "damaged", bytes(right))
        entry = struct.pack("<QQ", len(data), checksum(data)) + data
        damaged = damaged or entry != content[at : at + len(entry)]
        right += entry
        at += len(entry)
    return Log("damaged" if damaged else "whole", bytes(right))


def _reaches_end(content: bytes, at: int) -> bool:
    """Return whether the entry that begins at ``at`` goes on to the end of the log, or further."""
    lead = content[at : at + LEAD]
    return len(lead) < LEAD or at + LEAD + int.from_bytes(lead[:8], "little") > len(content)


def _data(content: bytes, at: int) -> bytes | None:
    """Return the data of the entry that begins at ``at``, corrected if one byte is wrong; None if that cannot be."""
    size, stored = struct.unpack_from("<QQ", content, at)
    data = content[at + LEAD : at + LEAD + size]
    if len(data) == size:
        found = data if checksum(data) == stored else corrected(data, stored)
        if found is not None:
            return found
    for byte in range(0, 64, 8):
        for value in range(256):
            other = (size & ~(0xFF << byte)) | (value << byte)
            data = content[at + LEAD : at + LEAD + other]
            if other == len(data) and checksum(data) == stored:
                return data
    return None
