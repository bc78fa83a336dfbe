"""Answers to what is asked of a store: rows, and in sentences what could not be answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Answer(Generic[RowT]):
    """Rows, and in ``gaps`` a sentence for each model and task that could not be answered and what would mend it.

    ``notes`` are sentences on the rows: that they are partial, or which documents are left out.
    """

    rows: tuple[RowT, ...]
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Found(Generic[RowT]):
    """An answer about one group of results while it is put together."""

    rows: list[RowT] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


def answer_of(gaps: Iterable[str], found: Iterable[Found[RowT]]) -> Answer[RowT]:
    """One answer of all groups; ``gaps`` are of those that were not asked."""
    each = list(found)
    return Answer(
        tuple(row for one in each for row in one.rows),
        (*gaps, *(gap for one in each for gap in one.gaps)),
        tuple(note for one in each for note in one.notes),
    )
