"""The evaluator's jobs: their requests and their progress."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig
from core.errors import Mend
from core.evaluator.protocol import Cancel, JobState, JobView, Pause, Resume
from core.study.events import (
    ChunkRecorded,
    MemoryShort,
    PhaseFinished,
    PhaseStarted,
    StudyEvent,
    TopLooked,
    TopVerdict,
)
from core.study.meter import Meter

_TOO_SOON_S = 3.0
"""A rate over less time does not predict the time that is left."""


@dataclass(slots=True)
class Job:
    """One run of schedules.

    ``total`` and the meter count the outcomes of all phases, ``before`` those of phases that ended, ``reached`` those
    of the current phase. A phase that ends early makes the total smaller.
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
    mend: Mend | None = None
    notes: tuple[TopVerdict, ...] = ()
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
        """Whether its study has begun and not ended."""
        return bool(self.phase) and not self.ended

    def apply(self, request: Pause | Resume | Cancel) -> None:
        """Change the state as requested, where the request fits the state."""
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
        """Begin its work, of ``total`` outcomes."""
        self.total = total
        self.meter.start(0)

    def follow(self, event: StudyEvent) -> None:
        """Take an event of its study."""
        match event:
            case PhaseStarted(phase, stored):
                self.phase = f"{phase.schedule} on {phase.task.name}"
                self.reached = stored
                self.meter.skip(self.before + stored)
            case ChunkRecorded(_, done):
                self.reached = done
                self.meter.reach(self.before + done)
            case TopLooked(_, verdict):
                self.notes = (*self.notes, verdict)
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
            mend=self.mend,
            notes=self.notes,
        )
