"""How large the values are that each unit's contributions are differences of: their rounding tells nothing."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.coalitions.schedules import INTACT
from core.estimators.estimator import Estimator, Outcomes
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio, TooLargeError

_FARTHEST: Final = 1e9
"""How many times the intact model's a perplexity may be if both are added up: a thousandth of it is then left."""


def unit_sizes(estimator: Estimator, outcomes: Outcomes, units: int, ratio: Ratio | None) -> FloatArray:
    """Return the size of the values that each unit's contributions are differences of, shape (units,).

    Perplexities differ by many powers of ten, and the rounding of the largest may be more than another one. So a unit
    has the size of those that it needs. Other values are of one kind, and all units have the size of the largest.

    Args:
        estimator: makes the contributions.
        outcomes: the values by coalition of units, NaN where a document lacks one.
        units: the number of units.
        ratio: how the documents make a value of their corpus; None for a mean.

    Raises:
        TooLargeError: all units need a perplexity beside which nothing is left of the intact model's.
    """
    sizes = {removed: float(np.nanmax(np.abs(values))) for removed, values in outcomes.items()}
    largest = max(sizes.values())
    if ratio is None or not ratio.exponential:
        return np.full(units, largest)
    needed = [estimator.needs(unit, units) for unit in range(units)]
    if None in needed and largest > _FARTHEST * sizes[INTACT]:
        raise TooLargeError(f"a perplexity of {largest:.0e} beside the intact model's, which {estimator.name} adds up,")
    return np.array([largest if some is None else max(sizes[removed] for removed in some) for some in needed])
