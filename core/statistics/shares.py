"""Shares of the sum of positive values, and what they may be."""

from __future__ import annotations

import numpy as np

from core.statistics.intervals import FloatArray, never_varies


def shares(phi: FloatArray) -> FloatArray:
    """Each unit's part of the sum of positive values, along the last axis; NaN where no value is positive."""
    clipped = np.maximum(phi, 0.0)
    total = clipped.sum(axis=-1, keepdims=True)
    found = np.full_like(clipped, np.nan)
    np.divide(clipped, total, out=found, where=total > 0)
    return found


def share_bounds(
    low: FloatArray, high: FloatArray, phi: FloatArray, half_width: float, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Percentile bounds of each unit's share; NaN where no resample has a positive value.

    A share is mine / (mine + the others' sum): it is least where mine is ``low`` and the others' sum is high.

    Args:
        low: each resample's values, shape (draws, units), as low as they may be.
        high: likewise, as high as they may be.
        phi: the resampled values themselves, which the others' sum is taken from.
        half_width: by which the others' sum may be off where it is the same in every resample.
        confidence: of the bounds.
    """
    clipped = np.maximum(phi, 0.0)
    total = clipped.sum(axis=1, keepdims=True)
    there = total[:, 0] > 0
    if not there.any():
        nothing = np.full(phi.shape[1], np.nan)
        return nothing, nothing
    others = (total - clipped)[there]
    slack = np.where(never_varies(others.T, float(total.max())), half_width, 0.0)
    least = _fraction(low[there], others + slack)
    most = _fraction(high[there], others - slack)
    return np.quantile(least, (1 - confidence) / 2, axis=0), np.quantile(most, (1 + confidence) / 2, axis=0)


def implied_bounds(phi: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What the interval of each unit's phi alone lets its share be, the others being as estimated; shape (units,).

    A resample's clipped value is 0 wherever the value is not positive, and of a few documents all resamples may say the
    same of the others' sum: then percentiles of shares are narrower than what is known of phi. So the others are worth
    at least, for the lower bound, what the largest of their upper bounds lets one of them be worth. Both bounds hold
    the share.

    Args:
        phi: the estimates, unclipped.
        low: their lower bounds.
        high: their upper bounds.
    """
    clipped = np.maximum(phi, 0.0)
    others = clipped.sum() - clipped
    largest = np.sort(high)[-2:]
    of_others = np.where(high == largest[-1], largest[0], largest[-1]) if len(high) > 1 else np.zeros(1)
    least = np.minimum(_fraction(low, others), _fraction(phi, np.maximum(others, of_others)))
    return least, _fraction(high, others)


def _fraction(mine: FloatArray, others: FloatArray) -> FloatArray:
    """Mine of the sum of both, clipped at 0; 0 where there is nothing to share."""
    part, rest = np.maximum(mine, 0.0), np.maximum(others, 0.0)
    fraction = np.zeros_like(part)
    np.divide(part, part + rest, out=fraction, where=part + rest > 0)
    return fraction
