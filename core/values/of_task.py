"""Decide which value a task is read by: one of its own metrics that are means, or one that right answers derive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.errors import CornerstoneError
from core.records.records import DocumentRecord, TaskRecord
from core.values.derived import NO_GOLD, derived_values, gold_of

PREFERRED: Final = "acc"
"""The value that a task which has it is read by, where nothing else is asked for."""


def usable_values(task: TaskRecord, documents: Sequence[DocumentRecord]) -> tuple[str, ...]:
    """Return the values that a task's documents have: metrics that are means, then what log-probabilities derive."""
    derives = any(gold_of(document.gold, len(document.choices)) != NO_GOLD for document in documents)
    return tuple(dict.fromkeys((*task.mean_metrics, *(derived_values() if derives else ()))))


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
    """Return what ``resolve`` returns, or None where nothing was asked for and the task has no value.

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
    """Return which of its values a task is read by where nothing was asked for; None where it has none."""
    if PREFERRED in usable:
        return PREFERRED
    return usable[0] if usable else None
