"""How an interaction of neighbours reads: a glyph, a place between -1 and 1, and what it means in words."""

from __future__ import annotations

from collections.abc import Sequence

from store.rows import InteractionRow

NEED, BACK_UP, LEANS_TO_NEED, LEANS_TO_BACK_UP, LITTLE = "▲", "▼", "+", "-", "·"
NOTHING = " "
# What is less than this part of the largest effect, either way, is little.
_LEAST = 0.25


def largest_effect(rows: Sequence[InteractionRow]) -> float:
    """The effect that has the full colour."""
    return max((abs(row.effect) for row in rows), default=0.0) or 1.0


def glyph(row: InteractionRow, largest: float) -> str:
    """A triangle where the interval leaves out 0, else a sign or, where the effect is little, a dot."""
    if row.low > 0:
        return NEED
    if row.high < 0:
        return BACK_UP
    if abs(row.effect) < _LEAST * largest:
        return LITTLE
    return LEANS_TO_NEED if row.effect > 0 else LEANS_TO_BACK_UP


def verdict(row: InteractionRow) -> str:
    """What the interval, taken by itself, decides."""
    if row.low > 0:
        return "need each other"
    return "back each other up" if row.high < 0 else "undecided"


def window_name(labels: Sequence[str]) -> str:
    """``Attn 0, FFN 0``, or of more than two players ``Attn 0 to FFN 1``."""
    return ", ".join(labels) if len(labels) <= 2 else f"{labels[0]} to {labels[-1]}"
