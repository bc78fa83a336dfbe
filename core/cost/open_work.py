"""What an open model and its tasks multiply, as plain numbers that a program without torch reads. Light to import."""

from __future__ import annotations

from dataclasses import dataclass

from core.cost.memory import OpenMemory
from core.cost.work import ModelWork, RowWork


@dataclass(frozen=True, slots=True)
class DocumentWork:
    """The size of a mean document of a task: its packed row, and its scored continuations.

    ``writes``: the model writes texts. How long they become is not known before, nor does it go at a sweep's speed.
    """

    task_id: str
    rows: RowWork
    requests: float
    writes: bool


@dataclass(frozen=True, slots=True)
class OpenWork:
    """The sizes of an open model, and of a mean document of each open task.

    ``flops`` is how many operations a second a sweep of this model reaches on its device; None where that is not known.
    ``memory`` is None where workers evaluate, each of which has a memory of its own.
    """

    model: ModelWork
    documents: tuple[DocumentWork, ...]
    flops: float | None
    memory: OpenMemory | None = None

    def of(self, task_id: str) -> DocumentWork | None:
        """Return the size of a document of a task; None if the task is not among the open ones."""
        return next((one for one in self.documents if one.task_id == task_id), None)
