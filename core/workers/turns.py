"""Whose turn it is to compute in a worker: its chunk, or what is asked between two batches of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Turns of two threads, of which one computes at a time: that of chunks, and that of what comes between batches."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._computing = self._held = False
        self._asides = 0

    @contextmanager
    def of_chunk(self) -> Iterator[None]:
        """Compute a chunk in the block, once it is its turn."""
        with self._changed:
            self._take()
        try:
            yield
        finally:
            with self._changed:
                self._give_up()

    def between_batches(self) -> None:
        """Let others compute that wait, and wait as long as chunks are held. The chunk's own thread calls this."""
        with self._changed:
            if self._asides or self._held:
                self._give_up()
                self._take()

    @contextmanager
    def of_aside(self) -> Iterator[None]:
        """Compute something else in the block, as soon as the chunk has ended a batch; it goes on afterwards."""
        with self._changed:
            self._asides += 1
            self._changed.wait_for(lambda: not self._computing)
        try:
            yield
        finally:
            with self._changed:
                self._asides -= 1
                self._changed.notify_all()

    def hold(self, held: bool) -> None:
        """Hold chunks between two batches, or let them go on."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def _take(self) -> None:
        self._changed.wait_for(lambda: not self._asides and not self._held)
        self._computing = True

    def _give_up(self) -> None:
        self._computing = False
        self._changed.notify_all()
