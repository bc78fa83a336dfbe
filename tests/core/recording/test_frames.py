"""Records in a file: a flipped bit, a cut and an unfinished end are told from whole records, and spoil no other."""

from __future__ import annotations

import io
import itertools

from core.recording.frames import Frame, framed, frames, unframed

PAYLOADS = [b'{"a":1}', b"", b"x" * 300, "ü☃".encode(), b"00000001 00000000 y"]
FILE = b"".join(map(framed, PAYLOADS))


def read(content: bytes) -> list[Frame]:
    return list(frames(io.BytesIO(content)))


def whole(content: bytes) -> list[bytes]:
    return [frame.payload for frame in read(content) if frame.payload is not None]


def test_what_was_written_is_read() -> None:
    assert read(FILE) == [Frame(payload, "whole") for payload in PAYLOADS]
    assert [unframed(framed(payload)) for payload in PAYLOADS] == PAYLOADS


def test_a_file_that_is_cut_off_anywhere_keeps_its_whole_records_and_none_is_called_damaged() -> None:
    ends = list(itertools.accumulate(len(framed(payload)) for payload in PAYLOADS))
    for cut in range(len(FILE)):
        found = read(FILE[:cut])
        assert "damaged" not in {frame.state for frame in found}, cut
        there = [frame.payload for frame in found if frame.payload is not None]
        assert there == PAYLOADS[: len(there)], cut
        assert len(there) >= sum(end <= cut for end in ends), cut


def test_a_flipped_bit_anywhere_is_told_and_harms_one_record_at_most() -> None:
    for at, bit in itertools.product(range(len(FILE)), range(8)):
        found = read(FILE[:at] + bytes([FILE[at] ^ 1 << bit]) + FILE[at + 1 :])
        assert any(frame.state != "whole" for frame in found), (at, bit)
        there = [frame.payload for frame in found if frame.payload is not None]
        assert set(there) <= set(PAYLOADS), (at, bit)
        assert len(there) >= len(PAYLOADS) - 1, (at, bit)


def test_zeros_that_a_crash_left_at_the_end_are_damage() -> None:
    found = read(FILE + bytes(4096))
    assert [frame.payload for frame in found] == [*PAYLOADS, None]
    assert found[-1].state == "damaged"


def test_a_length_beyond_all_reason_does_not_fill_the_memory() -> None:
    assert whole(b"ffffffff 00000000 x\n" + FILE) == PAYLOADS
