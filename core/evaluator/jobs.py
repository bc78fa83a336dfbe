"""The evaluator's jobs: what was asked, how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig
from core.evaluator.protocol import Cancel, JobState, JobView, Pause, Resume
from core.study.events import ChunkRecorded, MemoryShort, PhaseFinished, PhaseStarted, StudyEvent, TopLooked

_TOO_SOON_S = 3.0
"""A rate over less time tells nothing of the time that is left."""


class Meter:
    """Counts what is done, and how fast, leaving out the time in which other work came first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first = self._reached = 0.0
        self._since = clock()
        self._stopped: float | None = None
        self.done = 0.0

    def start(self, done: float) -> None:
        """A phase begins with so many done."""
        self._first = self._reached = self.done = done
        self._since, self._stopped = self._clock(), None

    def skip(self, done: float) -> None:
        """So many are done, and those since the last did not have to be made."""
        self._first += done - self.done
        self._reached = self.done = done

    def reach(self, done: float) -> None:
        """So many are recorded."""
        self._reached = self.done = done

    def advance(self, part: float) -> None:
        """So many of the chunk in flight are done."""
        self.done = self._reached + part

    @contextmanager
    def held(self) -> Iterator[None]:
        """The time in the block does not count."""
        self.stop()
        start = self._clock()
        try:
            yield
        finally:
            self._stopped = None
            self._since += self._clock() - start

    def stop(self) -> None:
        """Time no longer counts."""
        self._stopped = self._clock()

    @property
    def seconds(self) -> float:
        """The time that counts, since the start."""
        return (self._clock() if self._stopped is None else self._stopped) - self._since

    @property
    def rate(self) -> float:
        """Outcomes a second since the start."""
        return (self.done - self._first) / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class Job:
    """One run of schedules. ``total`` and the meter count outcomes of all phases; ``before``, of those that ended.

    ``reached`` counts those of the phase at hand. A phase that ends early makes the total smaller.
    """

    number: int
    config: RunConfig
    command: str
    state: JobState = "queued"
    phase: str = ""
    total: int = 0
    before: int = 0
    reached: int = 0
    error: str = ""
    notes: tuple[str, ...] = ()
    meter: Meter = field(default_factory=Meter)

    @property
    def ended(self) -> bool:
        return self.state in {"finished", "cancelled", "failed"}

    @property
    def title(self) -> str:
        what = " and ".join(self.config.schedules) or "hand-picked sets"
        if self.config.schedules and self.config.players != SUBLAYERS:
            what += f" over {self.config.players}"
        return f"{what} x {', '.join(task.name for task in self.config.tasks)}"

    @property
    def started(self) -> bool:
        """Whether outcomes are being made for it."""
        return bool(self.phase) and not self.ended

    def heed(self, request: Pause | Resume | Cancel) -> None:
        """Change state where the request fits it."""
        match request:
            case Pause() if self.state == "running":
                self.state = "paused"
            case Resume() if self.state == "paused":
                self.state = "running"
            case Cancel() if not self.ended:
                self.state = "cancelled"
            case _:
                pass

    def begin(self, total: int) -> None:
        """Its work begins: so many outcomes in all."""
        self.total = total
        self.meter.start(0)

    def follow(self, event: StudyEvent) -> None:
        """Note what its study tells."""
        match event:
            case PhaseStarted(phase, stored):
                self.phase = f"{phase.schedule} on {phase.task.name}"
                self.reached = stored
                self.meter.skip(self.before + stored)
            case ChunkRecorded(_, done):
                self.reached = done
                self.meter.reach(self.before + done)
            case TopLooked():
                self.notes = (*self.notes, event.sentence)
            case PhaseFinished(phase):
                self.total -= phase.total - self.reached
                self.before += self.reached
                self.meter.skip(self.before)
            case MemoryShort():
                pass

    def view(self) -> JobView:
        rate = self.meter.rate
        known = rate > 0 and self.meter.seconds > _TOO_SOON_S and not self.ended
        left = (self.total - self.meter.done) / rate if known else None
        return JobView(
            job=self.number,
            title=self.title,
            command=self.command,
            config=self.config,
            state=self.state,
            phase=self.phase,
            done=self.meter.done,
            total=self.total,
            rate=rate,
            seconds_left=left,
            error=self.error,
            notes=self.notes,
        )
