"""Shares of the sum of positive values, and their bounds."""

from __future__ import annotations

import numpy as np

from core.statistics.intervals import FloatArray, never_varies


def shares(phi: FloatArray) -> FloatArray:
    """Return each unit's share of the sum of positive values, along the last axis; NaN where no value is positive."""
    clipped = np.maximum(phi, 0.0)
    total = clipped.sum(axis=-1, keepdims=True)
    found = np.full_like(clipped, np.nan)
    np.divide(clipped, total, out=found, where=total > 0)
    return found


def share_bounds(
    low: FloatArray, high: FloatArray, phi: FloatArray, half_width: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Return percentile bounds of each unit's share; NaN if no resample has a positive value.

    A share is own / (own + sum of the others). The lower bound takes a low own value and a high sum of the others; the
    upper bound takes the opposite.

    Args:
        low: the lower values of each unit in each resample, shape (draws, units).
        high: the upper values, shape (draws, units).
        phi: the resampled values themselves, shape (draws, units); the sum of the others comes from them.
        half_width: by unit, how far the sum of the others may be off if it is the same in every resample.
        confidence: the confidence level of the bounds.
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
    """Return bounds of each share that follow from the interval of its phi alone, with the other units as estimated.

    Shape (units,); both bounds enclose the share. They are needed because a resample clips negative values to 0. With
    few documents all resamples may then give the same sum of the others, and percentiles of shares are narrower than
    the knowledge of phi. So the lower bound takes the sum of the others as at least the largest upper bound among them.

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
    """Return own / (own + others), both clipped at 0; 0 where the sum is 0."""
    part, rest = np.maximum(mine, 0.0), np.maximum(others, 0.0)
    fraction = np.zeros_like(part)
    np.divide(part, part + rest, out=fraction, where=part + rest > 0)
    return fraction
