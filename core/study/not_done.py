"""The documents of a task that could not be evaluated, and how a study says so at its end."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from core.records.records import Outcome
from core.study.evaluating import Skipped

_NAMED = 3


class NotDone:
    """The documents of one task that were skipped so far."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._documents: dict[str, int] = {}
        self._why: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._documents)

    def add(self, skipped: Skipped) -> None:
        """Remember what was skipped."""
        self._documents |= {document.key: document.doc_id for document in skipped.documents}
        self._why[skipped.why] = None

    def sentence(self) -> str:
        """Say how many documents were skipped, which, and why."""
        which = documents_text(self._task, self._documents.values())
        return (
            f"incomplete, {which}: every attempt to evaluate them failed ({'; '.join(self._why)}); the other outcomes "
            "are stored, and the same run tries these again"
        )


def documents_text(task: str, numbers: Collection[int]) -> str:
    """Return how many documents of a task there are, and the numbers of the first of them."""
    count = len(numbers)
    named = ", ".join(map(str, sorted(numbers)[:_NAMED])) + (f" and {count - _NAMED} more" if count > _NAMED else "")
    return f"{count} {'document' if count == 1 else 'documents'} of {task} (number {named} of its data)"


def without_outcomes(skipped: Skipped) -> Iterator[Outcome]:
    """Yield outcomes without values in place of those skipped, so that an estimate does not wait for them."""
    for document in skipped.documents:
        nothing = (math.nan,) * len(document.choices)
        for removed in skipped.coalitions:
            yield Outcome(document.key, removed, nothing, (False,) * len(document.choices), {}, {})
