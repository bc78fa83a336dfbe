"""How clearly a mean is above 0: its distance from 0 in standard errors, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.statistics.bootstrap import resampled_means
from core.statistics.intervals import CONFIDENCE, FloatArray, never_varies, without_rounding

_DRAWS = 1000
_ROUNDING = 1e-12
"""A resample whose variance is a smaller part of its mean square is one item again and again."""


@dataclass(frozen=True, slots=True)
class Signal:
    """``t`` is a mean divided by its standard error; it grows as the root of the number of items.

    The interval is that of t with as many other items: percentiles of a bootstrap, and it encloses ``t``. All are NaN
    for fewer than two items, or if these never vary.
    """

    t: float
    low: float
    high: float


def signal(
    values: FloatArray, scale: float, *, draws: int = _DRAWS, confidence: float = CONFIDENCE, seed: int = 0
) -> Signal:
    """Return the t of a mean.

    Where the mean was chosen as the largest of several, its t is too large on average, and so is its interval.

    Args:
        values: shape (items,), such as the contributions of a unit on each document.
        scale: the size of the numbers that these are differences of; their rounding does not count as variation.
        draws: bootstrap resamples of the items.
        confidence: the confidence of the interval.
        seed: the seed of the bootstrap.
    """
    items = len(values)
    if items < 2 or never_varies(values, scale):
        return Signal(math.nan, math.nan, math.nan)
    mean = values.mean()
    # Deviations keep their digits in squares, where values far from 0 would not.
    deviations = values - mean
    t = float(mean / np.sqrt((deviations**2).sum() / (items - 1) / items))
    moved, squares = resampled_means(np.stack([deviations, deviations**2]), draws, np.random.default_rng(seed)).T
    variance = squares - moved**2
    varies = variance > _ROUNDING * squares
    if not varies.any():
        return Signal(t, math.nan, math.nan)
    drawn = without_rounding(mean + moved[varies], scale) / np.sqrt(variance[varies] / (items - 1))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Signal(t, min(t, float(low)), max(t, float(high)))
