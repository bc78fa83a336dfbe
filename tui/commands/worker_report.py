"""Say what the workers of a run do: while they start, beside its progress, and at its end what each has done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from core.study.worker_view import WorkerView
from tui.drawing.worker_text import crew_text, worker_end

_SAY_EVERY_S = 10.0


class WorkerReport:
    """Follows the workers of a run; silent without any."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without workers.

        Args:
            say: prints a line.
            clock: tells seconds.
        """
        self._say = say
        self._clock = clock
        self._workers: tuple[WorkerView, ...] = ()
        self._said, self._said_at = "", clock()
        self._begun = False

    def take(self, workers: Sequence[WorkerView]) -> str:
        """Take what each worker does, and return it in a few words. It is said while none has evaluated anything."""
        if not self._workers:
            self._said_at = self._clock()
        self._workers = tuple(workers)
        text = crew_text(workers)
        self._begun = self._begun or any(worker.rate for worker in workers)
        if not self._begun and text != self._said and self._clock() - self._said_at >= _SAY_EVERY_S:
            self._said, self._said_at = text, self._clock()
            self._say(text)
        return text

    def close(self) -> None:
        """Say what each worker has done, once."""
        workers, self._workers = self._workers, ()
        if self._begun:
            for worker in workers:
                self._say(worker_end(worker))
