"""The evaluator's jobs: their requests and their progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.config.run_config import RunConfig
from core.cost.phase_progress import PhaseProgress
from core.cost.rates import Rate
from core.errors import Mend
from core.evaluator.job_words import work_text
from core.evaluator.protocol import UNFINISHED, Cancel, JobState, JobView, Pause, Resume, Special
from core.study.events import (
    ChunkRecorded,
    CostLooked,
    CostVerdict,
    DocumentsSkipped,
    MemoryShort,
    Phase,
    PhaseFinished,
    PhaseStarted,
    StudyEvent,
    TopLooked,
    TopVerdict,
    WorkersChanged,
)
from core.study.meter import Meter

_TOO_SOON_S = 3.0
_TOO_FEW = 16
"""Fewer outcomes tell no rate: the first chunk is small, and loading may fall into its time."""
"""A rate over less time does not predict the time that is left."""


_PhaseKey = tuple[str, str, str]
"""A schedule, and the name of a task and the fingerprint of its data."""


@dataclass(slots=True)
class Job:
    """One run of schedules.

    ``total`` and the meter count the outcomes of all phases, ``before`` those of phases that ended, and ``phases`` has
    those that take turns now. A phase that ends early makes the total smaller. ``shared`` has, by the name of a
    schedule, how many of its coalitions an earlier schedule has too; their outcomes count once.
    """

    number: int
    config: RunConfig
    command: str
    state: JobState = "queued"
    special: Special | None = None
    phase: str = ""
    total: int = 0
    before: int = 0
    phases: dict[_PhaseKey, PhaseProgress] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)
    started: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    mend: Mend | None = None
    notes: tuple[TopVerdict | CostVerdict, ...] = ()
    meter: Meter = field(default_factory=Meter)
    crew: str = ""
    """How many workers are at work, of those wanted, where it has some."""
    _loading_s: float = 0.0
    """How long it took until its work began."""
    _marked_s: float = 0.0
    """The seconds of work when the last chunk was recorded, or its phase began."""

    @property
    def ended(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def title(self) -> str:
        what = work_text(self.config, self.special)
        return f"{what} x {', '.join(task.name for task in self.config.tasks)}"

    @property
    def under_way(self) -> bool:
        """Whether its study has begun and not ended."""
        return bool(self.phase) and not self.ended

    @property
    def speeds(self) -> tuple[Rate, ...]:
        """The rates of the phases that take turns now, of those that were evaluated for more than a moment."""
        return tuple(speed for each in self.phases.values() if (speed := each.speed) is not None)

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

    def start(self) -> None:
        """Note that it is its turn."""
        self.state, self.started = "running", datetime.now(UTC)
        self.meter.start(0)

    def end(self) -> None:
        """Note that its turn is over."""
        self.ended_at = datetime.now(UTC)
        self.phases.clear()
        self.meter.stop()

    def begin(self, total: int, shared: Mapping[str, int] | None = None) -> None:
        """Begin its work, of ``total`` outcomes; ``shared`` is as for the class."""
        self.total, self.shared = total, shared or {}
        self._loading_s = self.meter.seconds
        self.meter.start(0)

    def follow(self, event: StudyEvent) -> None:
        """Take an event of its study."""
        match event:
            case PhaseStarted(phase, stored):
                self._begin_phase(phase, stored)
            case ChunkRecorded(phase, done):
                now = self.meter.seconds
                self.phases[_key(phase)].reach(done, now - self._marked_s)
                self._marked_s = now
                self.meter.reach(self._done)
                self._name_phases()
            case TopLooked(_, verdict) | CostLooked(_, verdict):
                about = (verdict.schedule, verdict.task)
                self.notes = (*(note for note in self.notes if (note.schedule, note.task) != about), verdict)
            case PhaseFinished(phase):
                ended = self.phases.pop(_key(phase))
                self.total -= ended.left
                self.before += ended.reached
                self.meter.skip(self._done)
            case WorkersChanged(_, ready, wanted):
                self.crew = f"{ready} of {wanted} {'worker' if wanted == 1 else 'workers'}"
            case MemoryShort() | DocumentsSkipped():
                pass

    def _begin_phase(self, phase: Phase, stored: int) -> None:
        counted = self.shared.get(phase.schedule, 0) * phase.documents
        again = min(stored, counted)  # less where an earlier phase stopped before its documents ran out
        self.total += counted - again
        self.phases[_key(phase)] = PhaseProgress(phase, again, stored - again)
        self.meter.skip(self._done)
        self._marked_s = self.meter.seconds
        self._name_phases()

    @property
    def _done(self) -> int:
        return self.before + sum(each.reached for each in self.phases.values())

    def _name_phases(self) -> None:
        latest = next(reversed(self.phases))[0]
        self.phase = f"{latest} on {', '.join(task for _, task, _ in self.phases)}"

    def view(self) -> JobView:
        rate = self.meter.rate
        enough = self.meter.counted >= min(_TOO_FEW, self.total)
        known = rate > 0 and enough and self.meter.seconds > _TOO_SOON_S and not self.ended
        left = (self.total - self.meter.done) / rate if known else None
        return JobView(
            job=self.number,
            title=self.title,
            command=self.command,
            config=self.config,
            special=self.special,
            state=self.state,
            phase=f"{self.phase}, {self.crew}" if self.phase and self.crew else self.phase,
            done=self.meter.done,
            total=self.total,
            evaluated=self.meter.counted,
            rate=rate,
            seconds_left=left,
            started=self.started,
            ended=self.ended_at,
            elapsed=0.0 if self.started is None else self._loading_s + self.meter.seconds,
            error=self.error,
            mend=self.mend,
            notes=self.notes,
        )


def _key(phase: Phase) -> _PhaseKey:
    return phase.schedule, phase.task.name, phase.data.fingerprint
