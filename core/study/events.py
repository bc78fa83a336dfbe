"""What a running study tells whoever watches it. A study yields these; the watcher decides what to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.records.records import DataRecord, ModelRecord, TaskRecord

if TYPE_CHECKING:
    from core.estimators.question import Question

_LISTED = 8


@dataclass(frozen=True, slots=True)
class Phase:
    """One schedule on one task, of the run ``run``. ``total`` counts outcomes asked for: documents x coalitions.

    ``question`` is what the schedule is evaluated for, None of sets picked by hand. ``value`` is what the run asked to
    look at. A schedule that comes in rounds has ``coalitions`` at most.
    """

    run: str
    model: ModelRecord
    task: TaskRecord
    data: DataRecord
    schedule: str
    documents: int
    coalitions: int
    question: Question | None = None
    value: str = "acc"

    @property
    def total(self) -> int:
        return self.documents * self.coalitions

    @property
    def in_rounds(self) -> bool:
        """Whether its coalitions are chosen on the way, so that ``coalitions`` and ``total`` are bounds."""
        return self.question is not None and self.question.estimator == "permutation"


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase begins; ``stored`` of its outcomes are already there and will not be evaluated."""

    phase: Phase
    stored: int


@dataclass(frozen=True, slots=True)
class ChunkRecorded:
    """A chunk of documents has been evaluated under every coalition still missing, and is stored."""

    phase: Phase
    done: int


@dataclass(frozen=True, slots=True)
class MemoryShort:
    """Memory did not suffice: the chunk is evaluated in smaller parts, ``state_tokens`` of hidden states at most."""

    phase: Phase
    state_tokens: int

    @property
    def sentence(self) -> str:
        return "memory was short; the sweep goes on in smaller chunks (--memory GIB sets how much it may take)"


@dataclass(frozen=True, slots=True)
class PhaseFinished:
    """Every outcome that the phase came to is stored."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class TopLooked:
    """What became of a phase that was to stop once its first ``k`` units were decided.

    ``top`` are the labels of the k largest after ``documents``, largest first. ``undecided`` may or may not be among
    them; where there are any, the documents ran out, and about ``more`` would be needed (None: no end is in sight).
    """

    phase: Phase
    k: int
    confidence: float
    documents: int
    top: tuple[str, ...]
    undecided: tuple[str, ...]
    more: int | None

    @property
    def sentence(self) -> str:
        said = f"{self.phase.schedule} on {self.phase.task.name}: top {self.k}"
        if not self.undecided:
            return (
                f"{said} decided at {self.confidence:.0%}: {', '.join(self.top)}, after {self.documents} of "
                f"{self.phase.documents} documents"
            )
        others = self.undecided[:_LISTED]
        rest = f" and {len(self.undecided) - len(others)} more" if len(self.undecided) > len(others) else ""
        sure = [label for label in self.top if label not in self.undecided]
        certain = f"{', '.join(sure)} for sure, " if sure else ""
        return (
            f"{said} at {self.confidence:.0%} after {self.documents} documents: {certain}undecided between these: "
            f"{', '.join(others)}{rest}; {self._needed}"
        )

    @property
    def _needed(self) -> str:
        if self.more is None:
            return "no number of documents in sight would tell them apart"
        size = self.phase.data.size
        beyond = f", and the task has {size} in all" if self.documents + self.more > size else ""
        return f"about {self.more} more documents would be needed{beyond}"


StudyEvent = PhaseStarted | ChunkRecorded | MemoryShort | TopLooked | PhaseFinished
