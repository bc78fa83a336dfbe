"""Shapley's own formula over every coalition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb
from typing import ClassVar

import numpy as np

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.estimator import Estimator, Outcomes, require
from core.machine.whole_number import whole
from core.statistics.intervals import FloatArray

MOST_UNITS = 16
_BLOCK = 1024
_WRITTEN_OUT = 128
"""More units have a number of coalitions that is too long to be written out."""


@dataclass(frozen=True, slots=True)
class Exact(Estimator):
    """phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S and i) - v(S)), over all 2^n coalitions.

    Shapley 1953, "A value for n-person games". Efficiency holds: the values add up to v(N) - v(nothing).
    """

    name: ClassVar[str] = "exact"
    summary: ClassVar[str] = f"every set of at most {MOST_UNITS} players removed: Shapley's own formula"
    schedule: ClassVar[str] = "exact"

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        if units > MOST_UNITS:
            number = f"2^{units} = {whole(2**units)}" if units <= _WRITTEN_OUT else f"2^{units}"
            raise CornerstoneError(
                f"exact needs all {number} coalitions of {units} units, and more than {MOST_UNITS} "
                f"units ({whole(2**MOST_UNITS)} coalitions) are refused; use fewer, larger units or permutation"
            )
        return [removed for removed in _coalitions(units) if removed not in outcomes]

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        found = np.zeros((units, len(outcomes[()])))
        coalitions = _coalitions(units)
        while block := list(islice(coalitions, _BLOCK)):
            values = np.stack([outcomes[removed] for removed in block])
            found += np.array([_weights(removed, units) for removed in block]).T @ values
        return found

    def coalitions(self, units: int) -> list[Removed]:
        # Neighbours share the hidden states below their first difference.
        return sorted(self.missing({}, units))

    def described(self) -> str:
        return "exact values"


def _coalitions(units: int) -> Iterator[Removed]:
    """List every coalition, those with the fewest removed units first."""
    return (removed for size in range(units + 1) for removed in combinations(range(units), size))


def _weights(removed: Removed, units: int) -> FloatArray:
    """Return the weight of a coalition's v in each unit's value, shape (units,).

    With s of n units kept, a kept unit has s - 1 others beside it, so its weight is + 1 / (n C(n-1, s-1)). A removed
    unit would join this coalition, so its weight is - 1 / (n C(n-1, s)).
    """
    kept = units - len(removed)
    weights = np.full(units, 1 / (units * comb(units - 1, kept - 1)) if kept else 0.0)
    if removed:
        weights[list(removed)] = -1 / (units * comb(units - 1, kept))
    return weights
