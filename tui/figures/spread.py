"""Labels that fit: they do not touch each other, and do not exceed their width."""

from __future__ import annotations

from collections.abc import Sequence

LETTER = 0.62
"""Approximate width of a letter, as a fraction of the text's size."""


def points_wide(text: str, size: float) -> float:
    """Return the approximate width of a text in points, by its longest line."""
    return max(map(len, text.split("\n"))) * LETTER * size


def characters_in(points: float, size: float) -> int:
    """Return about how many letters of a size fit into a width of ``points``."""
    return max(int(points / (LETTER * size)), 5)


def shortened(text: str, points: float, size: float) -> str:
    """Return the text, without its middle if it is too long, because similar names differ at their ends."""
    most = characters_in(points, size)
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[head + 1 - most :]}"


def spread(wanted: Sequence[float], widths: Sequence[float], low: float, high: float) -> list[float]:
    """Return centres for labels in a row, as close to those ``wanted`` as possible without touching.

    Labels keep the order of ``wanted``. If they do not all fit between ``low`` and ``high``, they overlap evenly.

    Args:
        wanted: the desired centres, in any order.
        widths: the widths of the labels, including the gaps between them.
        low: where the first label may begin.
        high: where the last label may end.
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
