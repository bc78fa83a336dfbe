"""The operations of a study's schedules; what two of them share counts once. Light to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from core.coalitions.players import Removed
from core.cost.work import ModelWork, RowWork, operations
from core.study.plan import Schedule

Operations = Callable[[ModelWork, RowWork, Sequence[Removed]], float]


def new_coalitions(schedules: Sequence[Schedule]) -> Iterator[tuple[tuple[Removed, ...], int]]:
    """Yield for each schedule the coalitions that none before it has, and the most of one that comes in rounds."""
    seen: set[Removed] = set()
    for schedule in schedules:
        new = tuple(removed for removed in schedule.coalitions if removed not in seen)
        seen.update(new)
        yield new, schedule.most if schedule.in_rounds else 0


def work_under(
    model: ModelWork, rows: RowWork, coalitions: Sequence[Removed], most: int, of: Operations = operations
) -> float:
    """Return the operations for rows under listed coalitions, or under as many as rounds may have.

    Which coalitions rounds choose is not known before, so each of them counts as a pass of the intact model.
    """
    return of(model, rows, coalitions) if coalitions else most * of(model, rows, ((),))
