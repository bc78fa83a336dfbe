"""The answer to a question that is put to a store: rows, and the gaps in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.config.gap import Gap

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Answer(Generic[RowT]):
    """Rows, and the gaps in them.

    Attributes:
        rows: the rows that the store can give.
        gaps: the parts of the question without an answer, each with its model and task and the run that would fill it.
        partial: the parts answered from fewer coalitions than asked for, each with the run that would complete it.
        notes: sentences about the rows, for example which documents are left out.
    """

    rows: tuple[RowT, ...]
    gaps: tuple[Gap, ...] = ()
    partial: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Found(Generic[RowT]):
    """The answer about one group of results, before all groups are joined."""

    rows: list[RowT] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    partial: list[Gap] = field(default_factory=list)


def answer_of(gaps: Iterable[Gap], found: Iterable[Found[RowT]]) -> Answer[RowT]:
    """Join the answers of all groups. ``gaps`` come from groups that could not be asked at all."""
    each = list(found)
    return Answer(
        tuple(row for one in each for row in one.rows),
        (*gaps, *(gap for one in each for gap in one.gaps)),
        tuple(gap for one in each for gap in one.partial),
        tuple(note for one in each for note in one.notes),
    )
