"""Short names of coalitions."""

from __future__ import annotations

from collections.abc import Sequence

from core.coalitions.players import Removed
from core.coalitions.schedules import DEFAULT_MAX_REMOVED

_LEAST_RUN = 3


def coalition_name(removed: Removed, labels: Sequence[str]) -> str:
    """Return ``Attn 0, FFN 3``, or ``Attn 0 to FFN 2, Attn 6`` for more players than the longest usual window.

    Args:
        removed: the numbers of the removed players.
        labels: their names, in the same order; for the intact model, its name alone.
    """
    if len(removed) <= DEFAULT_MAX_REMOVED:
        return ", ".join(labels)
    ends = [at for at, number in enumerate(removed) if at + 1 == len(removed) or removed[at + 1] != number + 1]
    starts = [0, *(at + 1 for at in ends[:-1])]
    return ", ".join(window_name(labels[first : last + 1]) for first, last in zip(starts, ends, strict=True))


def window_name(labels: Sequence[str]) -> str:
    """Return ``Attn 0, FFN 0``, or ``Attn 0 to FFN 1`` for more than two neighbours."""
    return f"{labels[0]} to {labels[-1]}" if len(labels) >= _LEAST_RUN else ", ".join(labels)
