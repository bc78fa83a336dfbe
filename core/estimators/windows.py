"""The paper's neighbourhood estimator in both its readings: windows of subsequent units, truncated early.

Zhang, Dong, Kawaguchi 2024, "Investigating Layer Importance in Large Language Models", section 4. These are not
Shapley weights: the values need not add up to v(N), so a share is of the sum of positive values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.coalitions.players import Removed
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, windows
from core.errors import CornerstoneError
from core.estimators.estimator import Outcomes, require
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class WindowFirst:
    """The paper's text: a unit is the first of its window.

    phi_i is the mean over r = 0..max_removed-1 with i + r < N of v(N minus {i+1..i+r}) - v(N minus {i..i+r}).
    """

    max_removed: int = DEFAULT_MAX_REMOVED
    name: ClassVar[str] = "window-first"

    def __post_init__(self) -> None:
        _check(self.name, self.max_removed)

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return _missing(outcomes, units, self.max_removed)

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        return np.stack([_mean(_first(outcomes, unit, units, self.max_removed)) for unit in range(units)])

    def sampling_noise(self, outcomes: Outcomes, units: int) -> None:
        return None


@dataclass(frozen=True, slots=True)
class WindowEnds:
    """The authors' published code: a unit is the first or the last of its window.

    phi_i is the unweighted mean of v(window without i) - v(window) over those windows; a window of one counts once, so
    an interior unit has 2 max_removed - 1 terms.
    """

    max_removed: int = DEFAULT_MAX_REMOVED
    name: ClassVar[str] = "window-ends"

    def __post_init__(self) -> None:
        _check(self.name, self.max_removed)

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return _missing(outcomes, units, self.max_removed)

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        return np.stack([_mean(_ends(outcomes, unit, units, self.max_removed)) for unit in range(units)])

    def sampling_noise(self, outcomes: Outcomes, units: int) -> None:
        return None


def _check(name: str, max_removed: int) -> None:
    if max_removed < 1:
        raise CornerstoneError(f"{name} needs windows of at least 1 player, not {max_removed}; set --max-removed")


def _missing(outcomes: Outcomes, units: int, max_removed: int) -> list[Removed]:
    return [removed for removed in windows(units, max_removed) if removed not in outcomes]


def _first(outcomes: Outcomes, unit: int, units: int, max_removed: int) -> Iterator[FloatArray]:
    for last in range(unit, min(unit + max_removed, units)):
        yield outcomes[tuple(range(unit + 1, last + 1))] - outcomes[tuple(range(unit, last + 1))]


def _ends(outcomes: Outcomes, unit: int, units: int, max_removed: int) -> Iterator[FloatArray]:
    yield from _first(outcomes, unit, units, max_removed)
    for first in range(unit - 1, max(unit - max_removed, -1), -1):
        yield outcomes[tuple(range(first, unit))] - outcomes[tuple(range(first, unit + 1))]


def _mean(terms: Iterator[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(list(terms), axis=0), dtype=np.float64)
