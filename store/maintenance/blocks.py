"""The blocks of a DuckDB file as bytes: three headers and then blocks of one size, each led by its checksum.

DuckDB reads only what a query needs. This finds damage in the rest too, such as the headers and the indexes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from core.machine.database_file import has_magic
from store.maintenance.checksum import checksum, corrected

HEADER: Final = 4096
"""The size of each of the three headers in bytes."""

_HEADERS: Final = (0, HEADER, 2 * HEADER)
_SIZES: Final = range(1 << 12, (1 << 22) + 1)
_CHECKSUM: Final = 8
# A block of metadata has 64 parts, and a pointer to one has the number of the part above that of the block.
_PARTS: Final = 64
_PART_SHIFT: Final = 56


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks that a file should have, by the newer of its two database headers, whose checkpoint has a number."""

    block_size: int
    blocks: int
    checkpoint: int
    free: frozenset[int] = frozenset()

    @property
    def size(self) -> int:
        """The size in bytes that the file has at least. DuckDB cuts off free blocks at its end."""
        used = self.blocks
        while used - 1 in self.free:
            used -= 1
        return 3 * HEADER + used * self.block_size

    def block_at(self, offset: int) -> int:
        """Return the number of the block at a place in the file."""
        return (offset - 3 * HEADER) // self.block_size

    def offset(self, block: int) -> int:
        """Return the place of a block in the file."""
        return 3 * HEADER + block * self.block_size


@dataclass(frozen=True, slots=True)
class Damaged:
    """A header or block whose checksum is wrong: its number (None for a header), place, and content if correctable."""

    block: int | None
    offset: int
    right: bytes | None


def is_duckdb(path: Path) -> bool:
    """Return whether a file is one of DuckDB, even if a few bytes of its beginning are damaged."""
    with path.open("rb") as file:
        start = file.read(3 * HEADER)
    return has_magic(start) or any(_is_sound(start[at : at + HEADER]) for at in _HEADERS)


def layout(file: BinaryIO) -> Layout | None:
    """Return the layout of an open file; None if no header tells it."""
    file.seek(0)
    start = file.read(3 * HEADER)
    found: list[tuple[Layout, int]] = []
    for at in _HEADERS[1:]:
        header = _right(start[at : at + HEADER])
        if header is not None:
            iteration, _meta, free, blocks, size = struct.unpack_from("<QQQQQ", header)
            if size in _SIZES:
                found.append((Layout(size, blocks, iteration), free))
    if not found:
        return None
    planned, free = max(found, key=lambda one: one[0].checkpoint)
    return replace(planned, free=_free_blocks(file, planned, free))


def _free_blocks(file: BinaryIO, planned: Layout, pointer: int) -> frozenset[int]:
    """Return the numbers in the list of free blocks; none if there is no list, or it cannot be read in full."""
    part_size = (planned.block_size - _CHECKSUM) // _PARTS // 8 * 8
    content = b""
    needed = 8
    while len(content) < needed:
        block, part = pointer % (1 << _PART_SHIFT), pointer >> _PART_SHIFT
        if block >= planned.blocks or part >= _PARTS:
            return frozenset()
        file.seek(planned.offset(block) + _CHECKSUM + part * part_size)
        read = file.read(part_size)
        if len(read) < part_size:
            return frozenset()
        # Each part begins with the pointer to the next one.
        pointer = int.from_bytes(read[:8], "little")
        content += read[8:]
        needed = 8 + 8 * int.from_bytes(content[:8], "little")
        if needed > 8 + 8 * planned.blocks:
            return frozenset()
    return frozenset(struct.unpack_from(f"<{needed // 8 - 1}Q", content, 8))


def damaged(file: BinaryIO) -> Iterator[Damaged]:
    """Yield every header and block of an open file whose checksum is wrong.

    A block of zeros only has never been written, so it is left out. Nothing is yielded where no header has the checksum
    that this module computes: another version of DuckDB may compute it in another way.
    """
    file.seek(0)
    start = file.read(3 * HEADER)
    headers = [(at, start[at : at + HEADER]) for at in _HEADERS]
    if not any(_is_sound(header) for _, header in headers):
        return
    for at, header in headers:
        if not _is_sound(header):
            yield Damaged(None, at, _right(header))
    planned = layout(file)
    if planned is None:
        return
    file.seek(3 * HEADER)
    for block in range(planned.blocks):
        content = file.read(planned.block_size)
        if len(content) == planned.block_size and not _is_sound(content) and any(content):
            yield Damaged(block, planned.offset(block), _right(content))


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was corrected: how many headers and blocks, and whether the file may be of its last checkpoint but one.

    That is so where one of the two database headers was lost.
    """

    count: int
    may_be_older: bool


def correct(path: Path, like: Path) -> Corrected:
    """Correct in place the headers and blocks that can be corrected.

    A header that cannot be corrected is replaced: the main one by that of another store, a database header by the other
    one. A file that was cut off is filled with zeros. DuckDB does not open it otherwise.

    Args:
        path: the file.
        like: a sound store of this version of DuckDB.
    """
    count, lost = 0, []
    with path.open("r+b") as file:
        for one in list(damaged(file)):
            if one.right is not None:
                _put(file, one.offset, one.right)
                count += 1
            elif one.block is None:
                lost.append(one.offset)
        if 0 in lost:
            _put(file, 0, _content(like, 0))
        databases = [at for at in _HEADERS[1:] if at not in lost]
        if len(databases) == 1:
            (kept,) = databases
            other = _content(path, kept)
            # The kept one must be the newer of the two.
            iteration = max(struct.unpack_from("<Q", other)[0] - 1, 0)
            _put(file, 3 * HEADER - kept, struct.pack("<Q", iteration) + other[8:])
        planned = layout(file)
        file.seek(0, 2)
        if planned is not None and file.tell() < planned.size:
            file.truncate(planned.size)
    return Corrected(count, len(databases) == 1)


def _put(file: BinaryIO, offset: int, content: bytes) -> None:
    file.seek(offset)
    file.write(struct.pack("<Q", checksum(content)) + content)


def _content(path: Path, header: int) -> bytes:
    with path.open("rb") as file:
        file.seek(header + 8)
        return file.read(HEADER - 8)


def forget_newest_header(path: Path) -> bool:
    """Let an older state of the file count, by erasing the newer database header; return false if there is none."""
    with path.open("r+b") as file:
        start = file.read(3 * HEADER)
        iterations = {at: _iteration(start[at : at + HEADER]) for at in _HEADERS[1:]}
        newest = max(iterations, key=lambda at: iterations[at])
        if min(iterations.values()) < 1:
            return False
        file.seek(newest)
        file.write(bytes(HEADER))
    return True


def _iteration(header: bytes) -> int:
    right = _right(header)
    return -1 if right is None else int(struct.unpack_from("<Q", right)[0])


def _is_sound(block: bytes) -> bool:
    return len(block) >= HEADER and struct.unpack_from("<Q", block)[0] == checksum(block[8:])


def _right(block: bytes) -> bytes | None:
    """Return a block without its checksum, corrected if it must be; None if it cannot be."""
    if len(block) < HEADER:
        return None
    (stored,) = struct.unpack_from("<Q", block)
    return block[8:] if checksum(block[8:]) == stored else corrected(block[8:], stored, sparse=len(block) == HEADER)
