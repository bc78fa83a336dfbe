"""How far a phase is, and how fast it goes; several phases may take turns. Light to import."""

from __future__ import annotations

from dataclasses import dataclass

from core.cost.rates import Rate
from core.records.fingerprint import short_id
from core.study.events import Phase

_TOO_SOON_S = 3.0
"""A rate over less time is left out."""


@dataclass(slots=True)
class PhaseProgress:
    """A phase that has begun.

    Attributes:
        phase: the phase.
        again: how many of its outcomes an earlier phase of the run has counted already.
        reached: how many others are done.
        evaluated: how many of them it has evaluated.
        seconds: how long that took.
    """

    phase: Phase
    again: int
    reached: int
    evaluated: int = 0
    seconds: float = 0.0

    def reach(self, done: int, seconds: float) -> None:
        """Note that ``done`` of its outcomes are there, after ``seconds`` of work on it."""
        self.evaluated += done - self.again - self.reached
        self.reached = done - self.again
        self.seconds += seconds

    @property
    def left(self) -> int:
        """How many of its outcomes are not done."""
        return self.phase.total - self.again - self.reached

    @property
    def speed(self) -> Rate | None:
        """Its rate; None if it was evaluated for a moment only."""
        if self.seconds < _TOO_SOON_S or self.evaluated <= 0:
            return None
        task_id = short_id(self.phase.task.fingerprint, self.phase.data.fingerprint)
        return Rate(task_id=task_id, schedule=self.phase.schedule, per_second=self.evaluated / self.seconds)
