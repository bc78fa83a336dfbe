"""Turns: one thread computes at a time, and what comes between two batches does not wait for the chunk's end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.workers.turns import Turns

PATIENCE_S = 60.0


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(thread: threading.Thread) -> bool:
    thread.join(PATIENCE_S)
    return not thread.is_alive()


class Chunk:
    """A chunk in a thread that ends a batch each time it is let."""

    def __init__(self, turns: Turns, batches: int) -> None:
        self.done = 0
        self._turns, self._batches = turns, batches
        self._let = threading.Semaphore(0)
        self.began = threading.Event()
        self.thread = in_thread(self._compute)

    def _compute(self) -> None:
        with self._turns.of_chunk():
            self.began.set()
            for _ in range(self._batches):
                self._let.acquire()
                self.done += 1
                self._turns.between_batches()

    def end_a_batch(self) -> None:
        self._let.release()


def test_what_comes_aside_waits_for_a_batch_and_the_chunk_goes_on_afterwards() -> None:
    turns = Turns()
    chunk = Chunk(turns, 3)
    assert chunk.began.wait(PATIENCE_S)
    seen: list[int] = []
    free = threading.Event()

    def aside() -> None:
        with turns.of_aside():
            seen.append(chunk.done)
            free.wait(PATIENCE_S)
            seen.append(chunk.done)

    thread = in_thread(aside)
    deadline = time.monotonic() + PATIENCE_S
    while not turns._asides:  # the chunk must not end its batch before it waits
        assert time.monotonic() < deadline
    for _ in range(3):
        chunk.end_a_batch()
    free.set()
    assert ended(thread)
    assert ended(chunk.thread)
    assert (seen, chunk.done) == ([1, 1], 3)


def test_without_a_chunk_it_comes_at_once_and_a_chunk_waits_for_it() -> None:
    turns = Turns()
    with turns.of_aside():
        chunk = Chunk(turns, 1)
        chunk.end_a_batch()
        assert not chunk.began.wait(0.2)
    assert ended(chunk.thread)


def test_a_held_chunk_stands_still_and_lets_others_compute() -> None:
    turns = Turns()
    chunk = Chunk(turns, 2)
    assert chunk.began.wait(PATIENCE_S)
    turns.hold(True)
    chunk.end_a_batch()
    chunk.end_a_batch()
    with turns.of_aside():
        assert chunk.done == 1
    with turns.of_aside():
        assert chunk.done == 1
    turns.hold(False)
    assert ended(chunk.thread)
    assert chunk.done == 2
