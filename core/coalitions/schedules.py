"""Schedules: the coalitions that a study evaluates.

Numbers of coalitions for N players: ablation 1 + N; windows up to k: 1 + sum over n=1..k of (N - n + 1).
"""

from __future__ import annotations

from collections.abc import Iterable

from core.coalitions.players import Removed

INTACT: Removed = ()
DEFAULT_MAX_REMOVED = 4


def windows(players: int, max_removed: int = DEFAULT_MAX_REMOVED) -> list[Removed]:
    """Return the intact model and every run of 1..max_removed consecutive players (paper, section 4).

    This is neighbourhood sampling with early truncation: 235 coalitions for 60 players and 4 removed.
    """
    sizes = range(1, min(max_removed, players) + 1)
    starts_by_size = ((size, start) for size in sizes for start in range(players - size + 1))
    return [INTACT, *(tuple(range(start, start + size)) for size, start in starts_by_size)]


def ablation(players: int) -> list[Removed]:
    """Return the intact model and each player removed alone: windows of size 1."""
    return windows(players, max_removed=1)


def hand_picked(removed_sets: Iterable[Removed]) -> list[Removed]:
    """Return the given coalitions, each once, preceded by the intact model, which a drop needs."""
    return list(dict.fromkeys([INTACT, *removed_sets]))
