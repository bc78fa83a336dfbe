"""Bootstrap of documents, and of the repetitions of an estimator that draws coalitions at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray

_BLOCK = 1 << 20
"""The largest number of random numbers in memory at a time."""


def resampled_means(values: FloatArray, draws: int, generator: np.random.Generator) -> FloatArray:
    """Return means over resamples of the last axis (the bootstrap of Efron 1979). All rows share the same resamples.

    The work is done in blocks, so that memory does not grow with ``draws``.

    Args:
        values: shape (rows, items), items >= 1. An item that a row lacks is NaN; no row may lack all.
        draws: how many resamples of ``items`` items, with replacement.
        generator: source of random numbers.

    Returns:
        The means, shape (draws, rows).
    """
    items = values.shape[1]
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    means = np.empty((draws, len(values)))
    step = max(1, _BLOCK // items)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        picked = generator.integers(0, items, size=(rows, items), dtype=np.int32)
        picked += np.arange(rows, dtype=np.int32)[:, None] * items
        counts = np.bincount(picked.ravel(), minlength=rows * items).reshape(rows, items)
        drawn = items if there.all() else counts @ there.T
        means[start : start + rows] = counts @ filled.T / np.maximum(drawn, 1)
        if not there.all():  # a resample may have none of the few items of a row
            means[start : start + rows] = np.where(drawn > 0, means[start : start + rows], np.nanmean(values, axis=1))
    return means


def widened_means(values: FloatArray, draws: int, generator: np.random.Generator, *, reach: float = 1.0) -> FloatArray:
    """Return ``resampled_means``, widened so that they vary as much as the means of independent samples.

    Resamples of n items vary less than samples do, so deviations are multiplied by sqrt(n / (n - 1)). They are also
    multiplied by ``reach``, for callers that need wider ones.
    """
    means, factor = np.nanmean(values, axis=1), reach * _widened((~np.isnan(values)).sum(axis=1))
    return np.asarray(means + factor * (resampled_means(values, draws, generator) - means))


def drawn_values(
    contributions: FloatArray, noise: FloatArray | None, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Return values of phi that other documents and other random coalitions might give, shape (draws, units).

    Args:
        contributions: shape (units, documents), NaN where a unit lacks a document.
        noise: deviations due to the random coalitions, from ``Estimator.sampling_noise``; resampled independently of
            the documents.
        draws: how many values per unit.
        generator: source of random numbers.
    """
    drawn = widened_means(contributions, draws, generator)
    if noise is not None:
        drawn += _widened(np.array(len(noise))) * resampled_means(noise.T, draws, generator)
    return np.asarray(drawn, dtype=np.float64)


def _widened(items: NDArray[np.int64]) -> FloatArray:
    """Return the factor sqrt(n / (n - 1))."""
    return np.asarray(np.sqrt(items / np.maximum(items - 1, 1)))
