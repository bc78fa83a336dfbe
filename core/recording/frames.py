"""Records in an append-only file, each a line with its length and checksum: ``LENGTH CHECKSUM PAYLOAD``.

Length and checksum (CRC-32) are eight hexadecimal digits. An unfinished record at the end, as a killed writer leaves
it, is told from one whose bytes were changed.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

_HEADER = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ")
_HEADER_SIZE = 18
_HEADER_START = re.compile(rb"[0-9a-f]{0,8}|[0-9a-f]{8} [0-9a-f]{0,8}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One record of a file. ``payload`` is None where it cannot be read.

    ``state`` is "torn" for an unfinished record at the end of the file, and "damaged" where bytes were changed.
    """

    payload: bytes | None
    state: Literal["whole", "torn", "damaged"]


def framed(payload: bytes) -> bytes:
    """Return the record of a payload, which must not contain a line break."""
    assert b"\n" not in payload
    return b"%08x %08x %s\n" % (len(payload), zlib.crc32(payload), payload)


def unframed(record: bytes) -> bytes | None:
    """Return the payload of a record; None if it is not whole."""
    payload = _payload(record)
    return payload if payload is not None and len(record) == _HEADER_SIZE + len(payload) + 1 else None


def frames(file: BinaryIO) -> Iterator[Frame]:
    """Yield the records of a file, from its present position to its end."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    while True:
        start = file.tell()
        header = file.read(_HEADER_SIZE)
        if not header:
            return
        fits = _HEADER.fullmatch(header)
        length = min(int(fits[1], 16), size - start) if fits else 0  # a changed length may be anything
        rest = file.read(length + 1) if fits else b""
        payload = _payload(header + rest)
        if payload is not None:
            # A changed line break harms neither this record nor the next.
            yield Frame(payload, "whole" if rest[length:] == b"\n" else "torn" if len(rest) == length else "damaged")
            continue
        file.seek(start)
        line = file.readline()  # the next record may be whole
        unfinished = not line.endswith(b"\n") and (bool(fits) or bool(_HEADER_START.fullmatch(header)))
        yield Frame(None, "torn" if unfinished else "damaged")


def _payload(record: bytes) -> bytes | None:
    fits = _HEADER.match(record)
    if fits is None:
        return None
    length, checksum = int(fits[1], 16), int(fits[2], 16)
    payload = record[_HEADER_SIZE : _HEADER_SIZE + length]
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None
