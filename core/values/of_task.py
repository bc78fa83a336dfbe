"""Which values a task has: its own metrics that are means, and what its documents' right answers derive."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import CornerstoneError
from core.records.records import DocumentRecord, TaskRecord
from core.values.derived import DERIVED, NO_GOLD, gold_of


def usable_values(task: TaskRecord, documents: Sequence[DocumentRecord]) -> tuple[str, ...]:
    """The values that a task's documents have: metrics that are means, and what the log-probabilities say."""
    derives = any(gold_of(document.gold, len(document.choices)) != NO_GOLD for document in documents)
    return tuple(dict.fromkeys((*task.mean_metrics, *(DERIVED if derives else ()))))


def default_value(task: TaskRecord) -> str:
    """What is looked at where nothing was asked for: acc, or the first metric where there is none."""
    return "acc" if "acc" in task.mean_metrics or not task.mean_metrics else task.mean_metrics[0]


def checked_value(task: TaskRecord, documents: Sequence[DocumentRecord], value: str | None) -> str:
    """The value to look at: the one asked for, or the task's own where none is.

    Raises:
        CornerstoneError: the task, or every document of it, has none such.
    """
    usable = usable_values(task, documents)
    chosen = default_value(task) if value is None else value
    if chosen not in usable:
        raise CornerstoneError(f"{task.name} has no value {chosen!r}; it has {', '.join(usable) or 'none'}")
    return chosen
