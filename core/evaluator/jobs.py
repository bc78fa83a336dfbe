"""The evaluator's jobs: what was asked, how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.config import RunConfig
from core.evaluator.protocol import Cancel, JobState, JobView, Pause, Resume
from core.events import Phase


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
    def rate(self) -> float:
        """Outcomes a second since the phase began."""
        seconds = (self._clock() if self._stopped is None else self._stopped) - self._since
        return (self.done - self._first) / seconds if seconds > 0 else 0.0


@dataclass(slots=True)
class Job:
    """One run of schedules. ``done`` counts outcomes of the phase, part of the chunk in flight included."""

    number: int
    config: RunConfig
    command: str
    state: JobState = "queued"
    phase: str = ""
    total: int = 0
    error: str = ""
    meter: Meter = field(default_factory=Meter)

    @property
    def ended(self) -> bool:
        return self.state in {"finished", "cancelled", "failed"}

    @property
    def title(self) -> str:
        what = " and ".join(self.config.schedules) or "hand-picked sets"
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

    def enter(self, phase: Phase, stored: int) -> None:
        """A phase begins."""
        self.phase, self.total = f"{phase.schedule} on {phase.task.name}", phase.total
        self.meter.start(stored)

    def view(self) -> JobView:
        rate = self.meter.rate
        left = (self.total - self.meter.done) / rate if rate > 0 and not self.ended else None
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
        )
