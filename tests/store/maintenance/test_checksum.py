"""The checksum is DuckDB's own, and one wrong byte is corrected where it can be told which one it is."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from store.maintenance.checksum import checksum, corrected
from tests.support.damaged_store import BLOCK, HEADERS, make_store


def test_every_block_of_a_real_store_has_this_checksum(path: Path) -> None:
    content = make_store(path).read_bytes()
    starts = [*range(0, HEADERS, 4096), *range(HEADERS, len(content), BLOCK)]
    assert len(starts) > 10
    for start in starts:
        block = content[start : start + (4096 if start < HEADERS else BLOCK)]
        assert struct.unpack_from("<Q", block)[0] == checksum(block[8:])


def test_a_wrong_byte_among_the_lower_half_of_a_word_is_corrected() -> None:
    draw = random.Random(0)
    content = draw.randbytes(8 * 4000 + 5)
    for _ in range(40):
        wrong = bytearray(content)
        wrong[8 * draw.randrange(4000) + draw.randrange(4)] ^= draw.randrange(1, 256)
        assert corrected(bytes(wrong), checksum(content)) == content


def test_a_wrong_byte_after_the_last_word_is_corrected() -> None:
    content = random.Random(1).randbytes(8 * 10 + 5)
    wrong = content[:-2] + bytes([content[-2] ^ 7]) + content[-1:]
    assert corrected(wrong, checksum(content)) == content


def test_a_wrong_byte_of_the_checksum_leaves_the_content() -> None:
    content = random.Random(2).randbytes(4000)
    assert corrected(content, checksum(content) ^ 0x2200) == content


def test_a_wrong_byte_among_the_zeros_that_fill_a_block_is_corrected() -> None:
    content = random.Random(3).randbytes(800) + bytes(8000)
    wrong = bytearray(content)
    wrong[4003] = 9
    assert corrected(bytes(wrong), checksum(content)) == content


def test_words_that_could_have_changed_places_are_not_guessed() -> None:
    # The checksum does not depend on the order, so any of the equal words may be the wrong one.
    words = [5] * 50 + [7] + [5] * 50
    content = struct.pack(f"<{len(words)}Q", *words)
    wrong = struct.pack(f"<{len(words)}Q", *words[:20], 7, *words[21:])
    assert corrected(wrong, checksum(content)) is None


def test_more_than_one_wrong_byte_is_not_corrected() -> None:
    content = random.Random(4).randbytes(8000)
    for places in ((8, 16), (8, 9), (100, 4000, 7000)):
        wrong = bytearray(content)
        for place in places:
            wrong[place] ^= 0x31
        assert corrected(bytes(wrong), checksum(content)) is None
