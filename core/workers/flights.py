"""The chunks that workers evaluate, and the calls that wait for them: those of several tasks take turns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from core.study.cutting import Chunk
from core.study.measuring import Measure
from core.workers.bundle import Bundle
from core.workers.crew import Crew
from core.workers.messages import TaskId


class Flights:
    """Gives chunks to a crew, and hands over what becomes of each to the bundle that it is of."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self._numbers = count()
        self._bundles: dict[int, Bundle[Any]] = {}
        self._running: Bundle[Any] | None = None

    def bundle(
        self, chunks: Iterator[Chunk], task: TaskId, ahead: int | None, measure: Measure[Any] | None = None
    ) -> Bundle[Any]:
        """Return a bundle of chunks to evaluate or to measure; the arguments are those of ``Bundle``."""
        return Bundle(chunks, self._numbers, task, ahead, measure)

    def give(self, bundle: Bundle[Any]) -> None:
        """Give chunks of a bundle to all workers that have none, also from ``go_on``."""
        self._running = bundle
        while self.crew.idle and (work := bundle.next_work()) is not None:
            self._bundles[work.number] = bundle
            self.crew.give(work)

    def give_aside(self, bundle: Bundle[Any]) -> None:
        """Give a chunk of a bundle to a worker that evaluates it before its own."""
        if self.crew.takes_aside and (work := bundle.next_work()) is not None:
            self._bundles[work.number] = bundle
            self.crew.give_aside(work)

    def go_on(self) -> None:
        """Give the chunks of the bundle that was given last to workers that have none, unless they are held."""
        if self._running is not None and not self.crew.held:
            self.give(self._running)

    def step(self, seconds: float) -> None:
        """Wait for answers, and hand them over."""
        for ended in self.crew.step(seconds):
            if (bundle := self._bundles.pop(ended.work.number, None)) is not None:
                bundle.ended.append(ended)

    def end(self, bundle: Bundle[Any]) -> None:
        """Drop the chunks of a bundle that are in flight."""
        if self._running is bundle:
            self._running = None
        self._bundles = {number: of for number, of in self._bundles.items() if of is not bundle}
        self.crew.drop(lambda work: work.number in self._bundles)
