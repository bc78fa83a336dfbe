"""The paper's neighbourhood estimators: windows of subsequent units of up to a maximal length.

Zhang, Dong, Kawaguchi 2024, "Investigating Layer Importance in Large Language Models", section 4. These are not
Shapley weights: the values need not add up to v(N), so a share is of the sum of positive values.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated, ClassVar, Self

import numpy as np

from core.coalitions.players import Removed
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, windows
from core.estimators.estimator import Estimator, Outcomes, require
from core.estimators.setting import Setting
from core.statistics.intervals import FloatArray

MaxRemoved = Annotated[
    int, Setting("The longest window: how many neighbours are removed at most, 1 to 8", "longest window k", 1, 8)
]


_Pair = tuple[Removed, Removed]
"""A window without a unit, and with it. What the unit adds is the difference of their values."""


@dataclass(frozen=True, slots=True)
class OfWindows(Estimator):
    """The common part of estimators that read the windows."""

    max_removed: MaxRemoved = DEFAULT_MAX_REMOVED
    summary: ClassVar[str] = "runs of 1 to k neighbours removed: the paper's Shapley values"
    schedule: ClassVar[str] = "windows"

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return [removed for removed in windows(units, self.max_removed) if removed not in outcomes]

    def most_removed(self, units: int) -> int:
        del units
        return self.max_removed

    def smaller(self) -> tuple[Self, ...]:
        return tuple(replace(self, max_removed=size) for size in range(self.max_removed - 1, 0, -1))

    def variants(self, units: int) -> tuple[Self, ...]:
        return tuple(replace(self, max_removed=size) for size in range(2, min(self.max_removed, units) + 1))

    @property
    def extent(self) -> str:
        return f"of 1 to {self.max_removed}"

    def in_words(self) -> tuple[str, ...]:
        return (self.described(),)

    def described(self) -> str:
        return f"windows of up to {self.max_removed}"


@dataclass(frozen=True, slots=True)
class _Differences(OfWindows):
    """The common part of the paper's estimators: a contribution is a mean of differences between two windows."""

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        return np.stack([_mean(outcomes, self._pairs(unit, units)) for unit in range(units)])

    def needs(self, unit: int, units: int) -> tuple[Removed, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(self._pairs(unit, units))))

    @abstractmethod
    def _pairs(self, unit: int, units: int) -> Iterator[_Pair]:
        """Yield the windows whose differences a unit's contribution is the mean of."""


@dataclass(frozen=True, slots=True)
class WindowFirst(_Differences):
    """The paper's text: a unit is the first of its window.

    phi_i is the mean over r = 0..max_removed-1 with i + r < N of v(N minus {i+1..i+r}) - v(N minus {i..i+r}).
    """

    name: ClassVar[str] = "window-first"

    def _pairs(self, unit: int, units: int) -> Iterator[_Pair]:
        return _first(unit, units, self.max_removed)


@dataclass(frozen=True, slots=True)
class WindowEnds(_Differences):
    """The authors' published code: a unit is the first or the last of its window.

    phi_i is the unweighted mean of v(window without i) - v(window) over those windows; a window of one counts once, so
    an interior unit has 2 max_removed - 1 terms.
    """

    name: ClassVar[str] = "window-ends"

    def _pairs(self, unit: int, units: int) -> Iterator[_Pair]:
        return _ends(unit, units, self.max_removed)


def _first(unit: int, units: int, max_removed: int) -> Iterator[_Pair]:
    for last in range(unit, min(unit + max_removed, units)):
        yield tuple(range(unit + 1, last + 1)), tuple(range(unit, last + 1))


def _ends(unit: int, units: int, max_removed: int) -> Iterator[_Pair]:
    yield from _first(unit, units, max_removed)
    for first in range(unit - 1, max(unit - max_removed, -1), -1):
        yield tuple(range(first, unit)), tuple(range(first, unit + 1))


def _mean(outcomes: Outcomes, pairs: Iterator[_Pair]) -> FloatArray:
    terms = [outcomes[without] - outcomes[with_it] for without, with_it in pairs]
    return np.asarray(np.mean(terms, axis=0), dtype=np.float64)
