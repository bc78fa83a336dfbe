"""Decide by which value a task is read: a metric of its own, or one derived from log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from core.errors import CornerstoneError
from core.records.records import DocumentRecord, TaskRecord
from core.values.corpus import corpus_values, means_for_values
from core.values.derived import NO_GOLD, derived_values, gold_of, is_accuracy, is_derived

PREFERRED: Final = "acc"
"""The value by which a task is read if it has this value and no other is asked for."""

_PER_CHARACTER: Final = "acc_norm"
_WRITTEN_RIGHT: Final = "exact_match"


def values_of(mean_metrics: Sequence[str], other_metrics: Sequence[str], *, derives: bool) -> tuple[str, ...]:
    """Return the values of a task.

    They are its metrics that are means, except under a name of ``core.values.corpus``, those that are values of its
    corpus, then derived values if its documents have any.
    """
    of_corpus = corpus_values(other_metrics)
    return tuple(dict.fromkeys((*means_for_values(mean_metrics), *of_corpus, *(derived_values() if derives else ()))))


def usable_values(task: TaskRecord, documents: Sequence[DocumentRecord]) -> tuple[str, ...]:
    """Return the values that a task's documents have, as ``values_of`` lists them."""
    derives = any(gold_of(document.gold, len(document.choices)) != NO_GOLD for document in documents)
    return values_of(task.mean_metrics, task.other_metrics, derives=derives)


def resolve(task: TaskRecord, documents: Sequence[DocumentRecord], asked: str | None) -> str:
    """Return the value by which a task is read.

    Call it once, where a study or a reading begins, and pass the result on.

    Args:
        task: the task.
        documents: those that are evaluated; they decide whether log-probabilities derive a value.
        asked: the value that was asked for; None for the task's own, which is acc, else its first metric that is a
            mean, else its corpus's bits per byte or perplexity, else the first value that is derived.

    Raises:
        CornerstoneError: the task does not have the value asked for, or has no value at all.
    """
    value = resolve_if_any(task, documents, asked)
    if value is None:
        raise CornerstoneError(
            f"{task.name} has no value: none of its metrics is a mean over documents, a perplexity or bits per byte, "
            "and no document has one right choice among several"
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
            raise CornerstoneError(
                f"{task.name} has no value {asked!r}; {meant(asked, usable)}it has {', '.join(usable) or 'none'}"
            )
        return asked
    return own_value(usable)


def meant(asked: str, usable: Sequence[str]) -> str:
    """Return ``did you mean acc? `` where a value that is asked for is written much like a usable one; else nothing."""
    close = get_close_matches(asked, usable, n=1)
    return f"did you mean {close[0]}? " if close else ""


def own_value(usable: Sequence[str]) -> str | None:
    """Return the value by which a task is read if no other is asked for; None if it has no value."""
    if PREFERRED in usable:
        return PREFERRED
    return usable[0] if usable else None


def accuracy_of(value: str, mean_metrics: Sequence[str]) -> str | None:
    """Return the metric that says of a document whether its answer is right, as a value would have it.

    It is the value itself if that is an accuracy. A value that is derived from log-probabilities per character goes
    with acc_norm, which compares choices so. Others go with acc, or with exact_match where the model writes.

    Args:
        value: a value of the task.
        mean_metrics: the task's metrics that are means over documents.

    Returns:
        The name of one of ``mean_metrics``, or None if the task has no such metric.
    """
    if value in mean_metrics and (is_accuracy(value) or value == _WRITTEN_RIGHT):
        return value
    per_character = is_derived(value, mean_metrics) and derived_values()[value].per_character
    order = (_PER_CHARACTER, PREFERRED) if per_character else (PREFERRED, _PER_CHARACTER)
    return next((name for name in (*order, _WRITTEN_RIGHT) if name in mean_metrics), None)
