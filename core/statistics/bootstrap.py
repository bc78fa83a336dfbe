"""Resampling what is crossed with an estimate: documents, and where coalitions are drawn, their repetitions."""

from __future__ import annotations

import math

import numpy as np

from core.statistics.intervals import FloatArray

_BLOCK = 1 << 20
"""Random numbers held at a time."""


def resampled_means(values: FloatArray, draws: int, generator: np.random.Generator) -> FloatArray:
    """Means over resamples of the last axis (the bootstrap of Efron 1979), all rows by the same resample.

    In blocks, so that memory does not grow with draws.

    Args:
        values: of shape (rows, items), items >= 1.
        draws: how many resamples of ``items`` items, with replacement.
        generator: of the random numbers.

    Returns:
        Shape (draws, rows).
    """
    items = values.shape[1]
    means = np.empty((draws, len(values)))
    step = max(1, _BLOCK // items)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        picked = generator.integers(0, items, size=(rows, items), dtype=np.int32)
        picked += np.arange(rows, dtype=np.int32)[:, None] * items
        counts = np.bincount(picked.ravel(), minlength=rows * items).reshape(rows, items)
        means[start : start + rows] = counts @ values.T / items
    return means


def widened_means(values: FloatArray, draws: int, generator: np.random.Generator, *, reach: float = 1.0) -> FloatArray:
    """``resampled_means``, as far apart as means of other samples are.

    Deviations are widened by sqrt(n / (n - 1)): resamples of n items vary that much less than samples do. And by
    ``reach``, where more is asked.
    """
    means, factor = values.mean(axis=1), reach * _widened(values.shape[1])
    return np.asarray(means + factor * (resampled_means(values, draws, generator) - means))


def drawn_values(
    contributions: FloatArray, noise: FloatArray | None, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Values of phi that other documents, and other drawn coalitions, might give; shape (draws, units).

    Args:
        contributions: of shape (units, documents).
        noise: of the coalitions drawn, as ``Estimator.sampling_noise`` has it; resampled independently of documents.
        draws: how many.
        generator: of the random numbers.
    """
    drawn = widened_means(contributions, draws, generator)
    if noise is not None:
        drawn += _widened(len(noise)) * resampled_means(noise.T, draws, generator)
    return np.asarray(drawn, dtype=np.float64)


def _widened(items: int) -> float:
    return math.sqrt(items / max(items - 1, 1))
