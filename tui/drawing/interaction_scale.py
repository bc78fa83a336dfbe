"""The scale of interactions: a glyph, a number between -1 and 1, and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.rows import InteractionRow


NEED, BACK_UP, LEANS_TO_NEED, LEANS_TO_BACK_UP, LITTLE = "▲", "▼", "+", "-", "·"
NOTHING = " "
# An effect smaller than this fraction of the largest one, in either direction, counts as little.
_LEAST = 0.25


def largest_effect(rows: Sequence[InteractionRow]) -> float:
    """Return the effect that has the full colour."""
    return max((abs(row.effect) for row in rows), default=0.0) or 1.0


def glyph(row: InteractionRow, largest: float) -> str:
    """Return a triangle if the interval excludes 0, else a sign, or a dot if the effect is little."""
    if row.low > 0:
        return NEED
    if row.high < 0:
        return BACK_UP
    if abs(row.effect) < _LEAST * largest:
        return LITTLE
    return LEANS_TO_NEED if row.effect > 0 else LEANS_TO_BACK_UP


def verdict(row: InteractionRow) -> str:
    """Return in words what the interval, taken by itself, decides."""
    if row.low > 0:
        return "need each other"
    return "back each other up" if row.high < 0 else "undecided"
