"""Declare what is measured of documents with the intact model: by this process, or by workers in other processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from core.engine.decoder import Decoder
from core.engine.sweep import OnBatch
from core.study.evaluating import Evaluator, Skipped
from core.tasks.prepare import Document, PreparedTask

Found = TypeVar("Found")

Measure = Callable[[Decoder, int, Sequence[Document], OnBatch], list[Found]]
"""Measures documents, and returns something for each of them, in their order.

It takes the model, the length of a text that the model takes at most, the documents, and what is called after each of
them with how many are done. Workers need a function that they can import, and a result that can be pickled.
"""


@dataclass(frozen=True, slots=True)
class Measured(Generic[Found]):
    """``found`` has a result for each of ``documents``. ``skipped`` has the documents that failed again and again."""

    documents: tuple[Document, ...]
    found: list[Found]
    skipped: tuple[Skipped, ...] = ()


class Crewed(Evaluator, Protocol):
    """Evaluates documents under coalitions by workers, and measures documents by them too."""

    def measured(self, task: PreparedTask, measure: Measure[Found], on_batch: OnBatch) -> Measured[Found]:
        """Return what is measured of the documents of a task, in their order.

        Args:
            task: its documents are measured.
            measure: measures some of them.
            on_batch: called now and then with how many documents of the task are done; what it raises ends the work.

        Raises:
            CornerstoneError: no worker is left, one says what is to be mended, or chunk after chunk fails.
        """
