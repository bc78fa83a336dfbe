"""Which values a prepared task has: its own metrics that are means, and what its documents' right answers derive."""

from __future__ import annotations

from core.documents import PreparedTask
from core.errors import CornerstoneError
from core.values import DERIVED, NO_GOLD, gold_of


def refuse_value(task: PreparedTask, value: str) -> None:
    """Refuse a value before anything is evaluated for it.

    Raises:
        CornerstoneError: the task, or every document of it, has none such.
    """
    records = [document.record for document in task.documents]
    derives = any(gold_of(record.gold, len(record.choices)) != NO_GOLD for record in records)
    known = tuple(dict.fromkeys((*task.record.mean_metrics, *(DERIVED if derives else ()))))
    if value not in known:
        raise CornerstoneError(f"{task.record.name} has no value {value!r}; it has {', '.join(known) or 'none'}")
