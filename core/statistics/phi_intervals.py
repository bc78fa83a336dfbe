"""Standard errors and intervals of phi, from contributions and from the noise of random coalitions."""

from __future__ import annotations

import numpy as np

from core.statistics.intervals import FloatArray, never_varies, t_interval, tango_interval


def standard_errors(contributions: FloatArray, scale: float, noise: FloatArray | None) -> FloatArray:
    """Return standard errors of phi, shape (units,), from contributions paired over documents.

    They are NaN for fewer than two documents, and 0 where nothing varies.

    Args:
        contributions: shape (units, documents).
        scale: the size of the values that contributions are differences of; their rounding does not count as variation.
        noise: deviations due to the random coalitions, from ``Estimator.sampling_noise``.
    """
    units, documents = contributions.shape
    if documents < 2:
        return np.full(units, np.nan)
    variance = np.where(never_varies(contributions, scale), 0.0, contributions.var(axis=1, ddof=1) / documents)
    if noise is not None:
        variance += (noise**2).sum(axis=0) / (len(noise) * (len(noise) - 1))
    return np.asarray(np.sqrt(variance), dtype=np.float64)


def phi_bounds(
    contributions: FloatArray, confidence: float, scale: float, noise: FloatArray | None, largest: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return intervals of phi: ``t_interval``, or Tango's interval of a drop where all contributions are -1, 0 or 1.

    Args:
        contributions: shape (units, documents).
        confidence: the confidence level of the intervals.
        scale: as in ``standard_errors``.
        noise: as in ``standard_errors``.
        largest: the size of the largest contribution of any unit, if it is not among these.
    """
    low, high = t_interval(contributions, confidence, scale, noise, largest)
    if noise is not None:
        return low, high
    drops = np.isin(contributions, (-1.0, 0.0, 1.0)).all(axis=1) & ~never_varies(contributions, scale)
    for unit in np.flatnonzero(drops):
        lost, won = int((contributions[unit] > 0).sum()), int((contributions[unit] < 0).sum())
        low[unit], high[unit] = tango_interval(lost, won, contributions.shape[1], confidence)
    return low, high
