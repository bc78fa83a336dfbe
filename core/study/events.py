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
class WorkersChanged:
    """``ready`` of the ``wanted`` workers are at work from now on."""

    phase: Phase
    ready: int
    wanted: int


@dataclass(frozen=True, slots=True)
class DocumentsSkipped:
    """Documents could not be evaluated; the study goes on without them, and ends as incomplete."""

    phase: Phase
    documents: int
    why: str


@dataclass(frozen=True, slots=True)
class PhaseFinished:
    """A phase ends: its outcomes are stored, but for ``waiting`` that the store could not take yet."""

    phase: Phase
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class TopVerdict:
    """Verdicts on which units of a phase are the ``k`` largest; see ``core.statistics.verdicts``.

    Attributes:
        schedule: the schedule of the phase.
        task: the task of the phase.
        k: the number of units to decide.
        confidence: the probability that no verdict is ever wrong.
        documents: the number of documents that the open units have, or had when the last was decided.
        asked: the number of documents of the phase.
        size: the number of documents of the task's data set.
        inside: the labels of the units that are in the top, largest first.
        undecided: the labels of open units, those of the largest means first.
        out: how many units are out of it.
        more: about how many more documents would decide all; None where no end is in sight.
        final: whether the phase ends with this verdict.
    """

    schedule: str
    task: str
    k: int
    confidence: float
    documents: int
    asked: int
    size: int
    inside: tuple[str, ...]
    undecided: tuple[str, ...]
    out: int
    more: int | None
    final: bool = True


@dataclass(frozen=True, slots=True)
class CostVerdict:
    """Verdicts on which units of a phase cost more than ``cost``; see ``core.statistics.costs``.

    Attributes:
        schedule: the schedule of the phase.
        task: the task of the phase.
        cost: the drop of the value that was asked about.
        confidence: the probability that no verdict is ever wrong.
        documents: the number of documents that the open units have, or had when the last was decided.
        asked: the number of documents of the phase.
        size: the number of documents of the task's data set.
        above: the labels of the units that cost more, the costliest first.
        undecided: the labels of open units, the costliest first.
        below: how many units cost less.
        more: about how many more documents would decide all; None where no end is in sight.
        final: whether the phase ends with this verdict.
    """

    schedule: str
    task: str
    cost: float
    confidence: float
    documents: int
    asked: int
    size: int
    above: tuple[str, ...]
    undecided: tuple[str, ...]
    below: int
    more: int | None
    final: bool = True


@dataclass(frozen=True, slots=True)
class TopLooked:
    """The verdicts on the units of a phase that may stop early have changed, or the phase ends."""

    phase: Phase
    verdict: TopVerdict


@dataclass(frozen=True, slots=True)
class CostLooked:
    """The same of a phase that compares units with a cost."""

    phase: Phase
    verdict: CostVerdict


StudyEvent = (
    PhaseStarted
    | ChunkRecorded
    | MemoryShort
    | WorkersChanged
    | DocumentsSkipped
    | TopLooked
    | CostLooked
    | PhaseFinished
)
