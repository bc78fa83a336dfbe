"""Say in words which value of a task answers soonest, and whether it answers the question of the task's own value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from core.statistics.verdicts import TOP
from store.comparison_rows import ValueRow


def soonest(title: str, rows: Sequence[ValueRow]) -> Iterator[str]:
    """Yield a sentence on the value that has decided most, and whether it ranks as the task's own, so far as is seen.

    Of several it is the one that decides all with the fewest documents, and then the task's own.
    """
    raced = [row for row in rows if row.unsettled is not None]
    if not raced:
        return
    row = min(raced, key=lambda row: (row.unsettled, row.documents or math.inf, row.value != row.reference))
    (own,) = [row for row in rows if row.value == row.reference]
    yield f"{title}: {_standing(row)}{_as_like(row, own)}"


def _standing(row: ValueRow) -> str:
    """Return what a value has decided, in words."""
    if row.documents == row.n:
        return f"{row.value} answers soonest: these {row.n} documents decide the top {TOP}"
    all_of_it = (
        "how many documents decide all is not in sight"
        if row.documents is None
        else f"by a forecast about {row.documents} decide all"
    )
    if row.inside or row.out:
        decided = f"{row.inside} in the top {TOP}, {row.out} out of it, {row.unsettled} open"
        return f"{row.value} has decided most after {row.n} documents: {decided}; {all_of_it}"
    return f"no value has decided a player after {row.n} documents; of {row.value}, {all_of_it}"


def _as_like(row: ValueRow, own: ValueRow) -> str:
    """Return how like the task's own value another one ranks, in words, whichever way it turns out."""
    told = []
    if row.rho is not None:
        told.append(
            f"a rank correlation of {row.rho:.2f} (95%: {row.rho_low:.2f} to {row.rho_high:.2f}{_if_alike(row, own)})"
        )
    if row.common is not None:
        told.append(f"{row.common:.3g} of the top {TOP} in common (95%: {row.common_low:.3g} to {row.common_high:.3g})")
    return f". With {row.reference} it has {' and '.join(told)}" if told else ""


def _if_alike(row: ValueRow, own: ValueRow) -> str:
    """Return which correlation two values of the same true ranking reach, even on documents of their own, in words."""
    if row.reliability is None or own.reliability is None:
        return ""
    return f"; at least about {math.sqrt(row.reliability * own.reliability):.2f} is likely if both rank alike"
