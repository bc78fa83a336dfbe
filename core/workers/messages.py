"""What the driver of a study and its workers send each other. Light to import, and picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.coalitions.players import Removed
from core.engine.sweep_sizes import SweepSizes
from core.errors import Mend

if TYPE_CHECKING:
    from core.study.measuring import Measure

TaskId = tuple[str, str]
"""The fingerprints of a task and of its data."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A worker has its model and tasks.

    Attributes:
        host: the machine that it runs on.
        process: the number of its process there.
        device: the type of device that it computes on.
        model: the fingerprint of its model.
        documents: a digest of the documents of each of its tasks.
        sizes: how much it evaluates at once.
    """

    host: str
    process: int
    device: str
    model: str
    documents: Mapping[TaskId, str]
    sizes: SweepSizes


@dataclass(frozen=True, slots=True)
class Work:
    """A chunk to evaluate: documents of a task, by their keys, under all of some coalitions.

    Where there is a ``measure``, the documents are measured by it with the intact model, and under no coalitions.
    """

    number: int
    task: TaskId
    documents: tuple[str, ...]
    coalitions: tuple[Removed, ...]
    measure: Measure[Any] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk's outcomes, or what was measured of each document; the sizes from now on where memory ran out."""

    found: list[Any]
    smaller: SweepSizes | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that a person can mend: the sentence of a ``CornerstoneError``, and where it arose."""

    sentence: str
    mend: Mend | None
    host: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A fault that nobody foresaw, in a sentence, and where it arose."""

    sentence: str
    host: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The chunk was not wanted any more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many outcomes, or measured documents, of the chunk in hand are done, and the machine of the worker."""

    part: float
    host: str


Reply = Opened | Done | Refused | Failed | Dropped
