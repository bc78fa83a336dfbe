"""Bytes in words, and work that is watched from another thread."""

from __future__ import annotations

import threading

import pytest

from core.machine.byte_count import in_bytes, part_in_bytes, watched


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 kB"),
        (14_300, "14 kB"),
        (60_000, "0.1 MB"),
        (300_000, "0.3 MB"),
        (93_000_000, "93 MB"),
        (999_000_000, "1.0 GB"),
        (141_100_000_000, "141.1 GB"),
    ],
)
def test_a_size_has_a_unit_that_suits_it(count: int, words: str) -> None:
    assert in_bytes(count) == words


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [
        (4_100_000_000, 16_060_000_000, "4.1 of 16.1 GB"),
        (12_000_000, 93_000_000, "12 of 93 MB"),
        (100_000, 300_000, "0.1 of 0.3 MB"),
        (95_000_000, 93_000_000, "93 of 93 MB"),
    ],
)
def test_a_part_has_the_unit_of_the_whole_and_is_never_more(done: int, total: int, words: str) -> None:
    assert part_in_bytes(done, total) == words


def test_watched_work_returns_or_raises_what_it_would_alone() -> None:
    looked = threading.Event()
    assert watched(lambda: looked.wait(240), looked.set) is True
    with pytest.raises(ZeroDivisionError):
        watched(lambda: 1 // 0, lambda: None)


def test_nobody_waits_for_work_that_is_given_up() -> None:
    def look() -> None:
        raise InterruptedError

    end = threading.Event()
    with pytest.raises(InterruptedError):
        watched(lambda: end.wait(240), look)
    end.set()
