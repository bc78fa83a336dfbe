"""Extrapolation from windows: the Shapley values of a surrogate that is fitted to what windows lose.

Windows say what a model loses with a few neighbours gone. A Shapley value also asks about models that have lost half
of their units or most of them, which no window ever removes. Window estimators leave those out. This one guesses them.

The surrogate is a game in which only direct neighbours interact. With the drop d(R) = v(N) - v(N minus R),

    d(R) = sum of a_i over i in R  +  sum of b_i over i with i and i + 1 in R.

These terms are the Harsanyi dividends (1963) of d. Each is shared alike by its units, and v and d have the same Shapley
values, so that of unit i is a_i + (b_(i-1) + b_i) / 2. They add up to what the surrogate loses with everything gone.

Pairs further apart, and triples, are left out for two reasons. Every window with units i and i + 2 has i + 1 too, so no
window tells that pair from the triple, though a Shapley value shares the two otherwise. And on the stored game of
docs/estimators.md, neither ranked units better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT, windows
from core.estimators.estimator import Outcomes, require
from core.estimators.windows import OfWindows
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class WindowExtrapolation(OfWindows):
    """phi_i = a_i + (b_(i-1) + b_i) / 2 of the surrogate of neighbours, fitted to windows of up to ``max_removed``.

    It is exact where only direct neighbours interact. Elsewhere it may be far off, as most coalitions that it speaks of
    were never removed. Its intervals are over documents. They hold none of that error, nor that of the ridge's choice.
    """

    name: ClassVar[str] = "window-extrapolation"
    summary: ClassVar[str] = "the same windows, from which a regression extrapolates to coalitions never removed"
    extrapolates: ClassVar[bool] = True

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        single, pair = surrogate(outcomes, windows(units, self.max_removed)[1:], units)
        found = single.copy()
        found[:-1] += pair / 2
        found[1:] += pair / 2
        return found

    def in_words(self) -> tuple[str, ...]:
        return self.described(), "extrapolated to coalitions never removed"


def surrogate(outcomes: Outcomes, fitted_to: Sequence[Removed], units: int) -> tuple[FloatArray, FloatArray]:
    """Fit the surrogate on each document: a of shape (units, documents), and b of shape (units - 1, documents).

    It is fitted by least squares, with a ridge on b alone: a pair is measured by fewer windows than a unit is. Its
    weight is that of Hoerl, Kennard and Baldwin (1975, "Ridge regression: some simulations"): the number of pairs times
    the variance of the residuals, divided by the sum of squares of b, all by least squares on the mean over documents.
    So it is 0 where the surrogate fits exactly, and where no window is left over to tell.

    Args:
        outcomes: values by removed units: those of the intact model and of ``fitted_to``.
        fitted_to: the windows of each length up to some. If all are single units, b is 0.
        units: the number of units.
    """
    drops = np.stack([outcomes[INTACT] - outcomes[removed] for removed in fitted_to])
    design = _design(fitted_to, units)
    gram, right = design.T @ design, design.T @ drops
    ridge = np.zeros(design.shape[1])
    ridge[units:] = _weight(design, gram, drops.mean(axis=1), units)
    terms = np.zeros((2 * units - 1, drops.shape[1]))
    terms[: len(ridge)] = np.linalg.solve(gram + np.diag(ridge), right)
    return terms[:units], terms[units:]


def _design(fitted_to: Sequence[Removed], units: int) -> FloatArray:
    """Return which terms each window loses: its units and, if any window has two, its pairs; shape (windows, terms)."""
    found = np.zeros((len(fitted_to), 2 * units - 1))
    for row, removed in zip(found, fitted_to, strict=True):
        row[removed[0] : removed[-1] + 1] = 1
        row[units + removed[0] : units + removed[-1]] = 1
    return found if found[:, units:].any() else found[:, :units]


def _weight(design: FloatArray, gram: FloatArray, drops: FloatArray, units: int) -> float:
    """Return the weight of the ridge on pairs, from mean drops of shape (windows,)."""
    over = len(design) - design.shape[1]
    fitted = np.linalg.solve(gram, design.T @ drops)
    pairs = fitted[units:]
    squares = float(pairs @ pairs)
    if not over or not squares:
        return 0.0
    residuals = drops - design @ fitted
    return float(len(pairs) * (residuals @ residuals) / over / squares)
