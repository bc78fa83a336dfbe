"""How many of their largest units two rankings have in common."""

from __future__ import annotations

import numpy as np

from core.statistics.intervals import FloatArray
from core.statistics.rank_correlation import DECIMALS


def in_common(one: FloatArray, other: FloatArray, k: int) -> float:
    """Return how many of the k largest units are the same, from 0 to k.

    Units that tie for the last places count in part (``top_parts``), so the result does not depend on their order. It
    is k where both sides are the same.

    Args:
        one: shape (units,).
        other: shape (units,), values of the same units in any unit of measure.
        k: how many units form a top, 1 to all.
    """
    return float(np.minimum(top_parts(one, k), top_parts(other, k)).sum())


def top_parts(values: FloatArray, k: int) -> FloatArray:
    """Return the part of a place among the k largest that each unit has, shape (units,), which adds up to k.

    It is 1 for a unit in the top and 0 for one out of it. Units that tie for the last places share them alike.

    Raises:
        ValueError: there are fewer than k units, or k is less than 1.
    """
    if not 1 <= k <= len(values):
        raise ValueError(f"a top of {k} of {len(values)} units")
    values = np.round(values, DECIMALS)
    last = np.sort(values)[-k]
    above, ties = values > last, values == last
    return np.asarray(above + ties * ((k - above.sum()) / ties.sum()), dtype=np.float64)
