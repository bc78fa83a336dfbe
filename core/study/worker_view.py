"""Describe what each worker of a study does. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WorkerDoing = Literal["starting", "loading", "idle", "evaluating", "refused", "lost"]
"""``starting``: its process is not there yet. ``refused``: it has another model or documents than the study, or cannot
open them. ``lost``: it was lost again and again before it had its model, and is given up."""


Counted = Literal["outcome", "document"]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker at a moment.

    Attributes:
        number: tells it apart from the other workers; one that takes the place of a lost worker has its number.
        doing: what it does.
        host: its machine; empty while that is unknown.
        outcomes: how many outcomes of whole chunks it has evaluated.
        rate: how many outcomes a second it evaluates, from its start, without the time in which it had no chunk; 0
            before it was measured.
        losses: how often it was lost and replaced.
        counts: what it evaluates: outcomes, or documents that are measured with the intact model.
    """

    number: int
    doing: WorkerDoing = "starting"
    host: str = ""
    outcomes: int = 0
    rate: float = 0.0
    losses: int = 0
    counts: Counted = "outcome"

    @property
    def name(self) -> str:
        return f"worker {self.number}" + (f" on {self.host}" if self.host else "")

    @property
    def at_work(self) -> bool:
        """Whether it evaluates, or is ready to."""
        return self.doing in {"idle", "evaluating"}
