"""Decide by which value a task is read: a metric of its own that is a mean, or one derived from log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.errors import CornerstoneError
from core.records.records import DocumentRecord, TaskRecord
from core.values.derived import NO_GOLD, derived_values, gold_of

PREFERRED: Final = "acc"
"""The value by which a task is read if it has this value and no other is asked for."""


def values_of(mean_metrics: Sequence[str], *, derives: bool) -> tuple[str, ...]:
    """Return the values of a task: its metrics that are means, then derived values if its documents have any."""
    return tuple(dict.fromkeys((*mean_metrics, *(derived_values() if derives else ()))))


def usable_values(task: TaskRecord, documents: Sequence[DocumentRecord]) -> tuple[str, ...]:
    """Return the values that a task's documents have: metrics that are means, then derived values."""
    derives = any(gold_of(document.gold, len(document.choices)) != NO_GOLD for document in documents)
    return values_of(task.mean_metrics, derives=derives)


def resolve(task: TaskRecord, documents: Sequence[DocumentRecord], asked: str | None) -> str:
    """Return the value by which a task is read.

    Call it once, where a study or a reading begins, and pass the result on.

    Args:
        task: the task.
        documents: those that are evaluated; they decide whether log-probabilities derive a value.
        asked: the value that was asked for; None for the task's own, which is acc, else its first metric that is a
            mean, else the first value that is derived.

    Raises:
        CornerstoneError: the task does not have the value asked for, or has no value at all.
    """
    value = resolve_if_any(task, documents, asked)
    if value is None:
        raise CornerstoneError(
            f"{task.name} has no value: none of its metrics is a mean over documents, and no document has one right "
            "choice among several"
        )
    return value


def resolve_if_any(task: TaskRecord, documents: Sequence[DocumentRecord], asked: str | None) -> str | None:
    """Return the same value as ``resolve``, or None if no value was asked for and the task has none.

    Raises:
        CornerstoneError: the task does not have the value asked for.
    """
    usable = usable_values(task, documents)
    if asked is not None:
        if asked not in usable:
            raise CornerstoneError(f"{task.name} has no value {asked!r}; it has {', '.join(usable) or 'none'}")
        return asked
    return own_value(usable)


def own_value(usable: Sequence[str]) -> str | None:
    """Return the value by which a task is read if no other is asked for; None if it has no value."""
    if PREFERRED in usable:
        return PREFERRED
    return usable[0] if usable else None
