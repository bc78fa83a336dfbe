"""DuckDB's checksum of a block, and the correction of a block in which one byte is wrong.

The checksum is the exclusive or of a bijection of each 8-byte word. So the right value of one wrong word follows from
the stored checksum and all other words. A correction is believed if exactly one byte of the block explains the
difference. That finds a byte of the lower half of a word, and some of the upper half: a change there changes fewer bits
of the checksum, so that several words could have it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MASK: Final = (1 << 64) - 1
_START: Final = 5381
_FACTOR: Final = 0xBF58476D1CE4E5B9
_INVERSE: Final = pow(_FACTOR, -1, 1 << 64)
# The last 1 to 7 bytes are hashed in another way (MurmurHash).
_REST_FACTOR: Final = 0xC6A4A7935BD1E995
_REST_SEED: Final = 0xE17A1465
_REST_SHIFT: Final = 47
_NEIGHBOURS: Final = 16


def checksum(content: bytes | bytearray) -> int:
    """Return DuckDB's checksum of some bytes, an unsigned number of 64 bits."""
    words, rest = _split(content)
    found = int(np.bitwise_xor.reduce(words * np.uint64(_FACTOR))) if len(words) else 0
    return _START ^ found ^ (_of_rest(rest) if rest else 0)


def corrected(content: bytes, stored: int, *, sparse: bool = False) -> bytes | None:
    """Return the content that has the checksum ``stored``, if one wrong byte and no other explains the difference.

    The content is returned as it is if the stored checksum itself has the wrong byte. None means that more is wrong, or
    that several bytes could be. A byte among zeros only, such as those that fill up a block, is preferred to others. In
    ``sparse`` content, which has few words between zeros, the only word that would become zero is preferred, and then
    the checksum.
    """
    difference = checksum(content) ^ stored
    words, rest = _split(content)
    right = ((words * np.uint64(_FACTOR)) ^ np.uint64(difference)) * np.uint64(_INVERSE)
    places = np.flatnonzero(_are_small(right ^ words))
    among_zeros = [place for place in map(int, places) if right[place] == 0 and (sparse or _is_alone(words, place))]
    if len(among_zeros) == 1:
        return _with_word(content, among_zeros[0], 0)
    if sparse and _is_small(difference):
        return content
    found = [content] if _is_small(difference) else []
    found += [_with_word(content, place, int(right[place])) for place in map(int, places[:2])]
    if rest:
        wanted = _of_rest(rest) ^ difference
        found += [content[: 8 * len(words)] + each for each in _near(rest) if _of_rest(each) == wanted]
    return found[0] if len(found) == 1 else None


def _with_word(content: bytes, place: int, word: int) -> bytes:
    return content[: 8 * place] + word.to_bytes(8, "little") + content[8 * place + 8 :]


def _is_alone(words: NDArray[np.uint64], place: int) -> bool:
    """Return whether a word is the only one that is not zero among its neighbours."""
    near = words[max(place - _NEIGHBOURS, 0) : place + _NEIGHBOURS + 1]
    return int(np.count_nonzero(near)) == 1 and len(near) > _NEIGHBOURS


def _split(content: bytes | bytearray) -> tuple[NDArray[np.uint64], bytes]:
    whole = len(content) // 8
    return np.frombuffer(content, dtype="<u8", count=whole), bytes(content[8 * whole :])


def _of_rest(rest: bytes) -> int:
    found = (_REST_SEED ^ (len(rest) * _REST_FACTOR)) & _MASK
    found = ((found ^ int.from_bytes(rest, "little")) * _REST_FACTOR) & _MASK
    found ^= found >> _REST_SHIFT
    found = (found * _REST_FACTOR) & _MASK
    return found ^ (found >> _REST_SHIFT)


def _near(rest: bytes) -> list[bytes]:
    """Return the rests that differ in one byte."""
    return [
        rest[:at] + bytes([byte]) + rest[at + 1 :] for at in range(len(rest)) for byte in range(256) if byte != rest[at]
    ]


def _is_small(difference: int) -> bool:
    return bool(_are_small(np.array([difference], dtype=np.uint64))[0])


def _are_small(differences: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which differences are confined to one byte."""
    small = np.zeros(len(differences), dtype=np.bool_)
    for byte in range(8):
        small |= (differences & np.uint64(_MASK ^ (0xFF << (8 * byte)))) == 0
    return small
