"""The events that a running study yields, for displays of its progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.records.records import DataRecord, ModelRecord, TaskRecord

if TYPE_CHECKING:
    from core.estimators.question import Question


@dataclass(frozen=True, slots=True)
class Phase:
    """One schedule on one task, in the run ``run``. ``total`` counts the outcomes asked for: documents x coalitions.

    ``question`` is the question that the schedule answers, None for sets picked by hand. ``value`` is the value by
    which the task is read, None if it has no value. ``group`` is the group, tag or folder by which the task was named,
    None if it was named by itself. If coalitions are chosen in rounds, ``coalitions`` is a bound.
    """

    run: str
    model: ModelRecord
    task: TaskRecord
    data: DataRecord
    schedule: str
    documents: int
    coalitions: int
    question: Question | None = None
    value: str | None = None
    group: str | None = None

    @property
    def total(self) -> int:
        return self.documents * self.coalitions

    @property
    def in_rounds(self) -> bool:
        """Whether its coalitions are chosen as it runs, so that ``coalitions`` and ``total`` are bounds."""
        return self.question is not None and self.question.estimator.in_rounds


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


@dataclass(frozen=True, slots=True)
class PhaseFinished:
    """A phase ends: its outcomes are stored, but for ``waiting`` that the store could not take yet."""

    phase: Phase
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class TopVerdict:
    """The decision on the ``k`` largest units of a phase.

    Attributes:
        schedule: the schedule of the phase.
        task: the task of the phase.
        k: the number of units to decide.
        confidence: the confidence required for the decision.
        documents: the number of documents that the decision uses.
        asked: the number of documents of the phase.
        size: the number of documents of the task's data set.
        top: the labels of the k largest units after ``documents``, largest first.
        undecided: the labels of units that may or may not be among them; where there are any, the documents ran out.
        more: about how many more documents would decide them; None where no end is in sight.
    """

    schedule: str
    task: str
    k: int
    confidence: float
    documents: int
    asked: int
    size: int
    top: tuple[str, ...]
    undecided: tuple[str, ...]
    more: int | None


@dataclass(frozen=True, slots=True)
class TopLooked:
    """The verdict on the largest units of a phase that may stop early."""

    phase: Phase
    verdict: TopVerdict


StudyEvent = PhaseStarted | ChunkRecorded | MemoryShort | TopLooked | PhaseFinished
