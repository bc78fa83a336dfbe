"""Labels that fit: beside each other without touching, and no longer than their room."""

from __future__ import annotations

from collections.abc import Sequence

LETTER = 0.62
"""About how wide a letter is, of the text's size."""


def points_wide(text: str, size: float) -> float:
    """About how wide a text of that size is, by its longest line."""
    return max(map(len, text.split("\n"))) * LETTER * size


def characters_in(points: float, size: float) -> int:
    """About how many letters of a size stand in so much room."""
    return max(int(points / (LETTER * size)), 5)


def shortened(text: str, points: float, size: float) -> str:
    """The text, its middle left out where it would be wider: names that are alike differ at their ends."""
    most = characters_in(points, size)
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[head + 1 - most :]}"


def spread(wanted: Sequence[float], widths: Sequence[float], low: float, high: float) -> list[float]:
    """Centres for labels in a row, as near to those ``wanted`` as they can be without touching.

    Labels keep the order of ``wanted``. Where they do not all fit between ``low`` and ``high`` they overlap evenly.

    Args:
        wanted: the centres asked for, in any order.
        widths: of the labels, with the gaps between them.
        low: where the first may begin.
        high: where the last may end.
    """
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    excess = sum(widths) - (high - low)
    scale = (high - low) / sum(widths) if excess > 0 else 1.0
    # Push to the right from the left edge, then back to the left from the right edge.
    centres, edge = [0.0] * len(wanted), low
    for at in order:
        half = widths[at] * scale / 2
        centres[at] = max(wanted[at], edge + half)
        edge = centres[at] + half
    edge = high
    for at in reversed(order):
        half = widths[at] * scale / 2
        centres[at] = min(centres[at], edge - half)
        edge = centres[at] - half
    return centres
