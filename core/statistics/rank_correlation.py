"""Rank correlations with ties, and their intervals over documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.statistics.bootstrap import resampled_means
from core.statistics.intervals import CONFIDENCE, FloatArray

Correlation = Callable[[FloatArray, FloatArray], float]

DRAWS = 1000
_HALVES = 200
DECIMALS = 12
"""Values are rounded to this many decimals before they are compared, so that rounding errors do not break ties."""


@dataclass(frozen=True, slots=True)
class Correlated:
    """A correlation of two rankings with the interval of that with as many other documents, by a bootstrap.

    The interval encloses the value. All are NaN if one ranking consists of a single tie. A resample is noisier than the
    sample, and noise lowers a correlation. So the upper percentile is raised by as much as the median is too low, up to
    the correlation of a ranking with itself. The lower one stays, which is cautious. Rankings by many more documents
    may well correlate by more than the interval says.
    """

    value: float
    low: float
    high: float


def spearman(one: FloatArray, other: FloatArray) -> float:
    """Return Spearman's rho: Pearson's correlation of ranks, where ties share their mean rank.

    It is NaN if one side is constant.
    """
    return float(spearman_by_draw(one[None], other[None])[0])


def kendall(one: FloatArray, other: FloatArray) -> float:
    """Return Kendall's tau-b, which allows for ties (Kendall 1945). NaN if one side is constant."""
    return float(kendall_by_draw(one[None], other[None])[0])


def spearman_by_draw(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return ``spearman`` of each draw, shape (draws,); both arguments have shape (draws, units)."""
    return _cosine(_centred_ranks(one), _centred_ranks(other))


def kendall_by_draw(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return ``kendall`` of each draw, shape (draws,); both arguments have shape (draws, units)."""
    flat = (len(one), -1)
    return _cosine(_signs(one).reshape(flat), _signs(other).reshape(flat))


def correlated(correlation: Correlation, one: FloatArray, other: FloatArray, *, seed: int = 0) -> Correlated:
    """Return the correlation of two means over the same documents, which are resampled together.

    Args:
        correlation: ``spearman``, ``kendall`` or another likeness of two rankings.
        one: shape (units, documents).
        other: shape (units, documents).
        seed: seed of the bootstrap.
    """
    value = correlation(one.mean(axis=1), other.mean(axis=1))
    means = resampled_means(np.concatenate([one, other]), DRAWS, np.random.default_rng(seed))
    drawn = np.array([correlation(line[: len(one)], line[len(one) :]) for line in means])
    if np.isnan(value) or np.isnan(drawn).all():
        return Correlated(value, float("nan"), float("nan"))
    low, high = raised_interval(value, drawn, correlation(one.mean(axis=1), one.mean(axis=1)))
    return Correlated(value, low, high)


def raised_interval(
    value: float, drawn: FloatArray, most: float = 1.0, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the ends of the interval of a correlation, as ``Correlated`` has it.

    Args:
        value: the correlation.
        drawn: that of each resample, shape (draws,), NaN where it is undefined, as not all are.
        most: the correlation of a ranking with itself.
        confidence: the confidence of the interval.
    """
    low, middle, high = np.nanquantile(drawn, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    raised = min(high + max(value - middle, 0.0), most)
    return min(value, float(low)), max(value, float(raised))


def reliability(values: FloatArray, *, seed: int = 0) -> float:
    """Return how well a ranking by means over these documents would agree with one from as many other documents.

    It is the mean Spearman correlation between random halves of the documents, extrapolated to their full number
    (Spearman 1910, Brown 1910). A half whose ranking is a single tie counts as correlation 0, and a negative mean
    counts as 0. The result is NaN for a single document. No proxy can be expected to agree with the ranking better than
    about the square root of this.

    Args:
        values: shape (units, documents).
        seed: seed of the random halves.
    """
    documents = values.shape[1]
    if documents < 2:
        return float("nan")
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(_HALVES):
        order = generator.permutation(documents)
        one, other = order[: documents // 2], order[documents // 2 :]
        found.append(spearman(values[:, one].mean(axis=1), values[:, other].mean(axis=1)))
    if np.isnan(found).all():
        return float("nan")
    half = max(float(np.nan_to_num(found).mean()), 0.0)
    return 2 * half / (1 + half)


def _centred_ranks(values: FloatArray) -> FloatArray:
    """Return how many values of a draw are below each one, less how many are above, shape (draws, units).

    Up to a constant that is twice the mean rank of those that tie. Draws with a NaN have only NaN.
    """
    draws, units = values.shape
    values = np.round(values, DECIMALS)
    order = np.argsort(values, axis=1)
    rising = np.take_along_axis(values, order, axis=1)
    places = np.broadcast_to(np.arange(units), (draws, units))
    differs = rising[:, 1:] != rising[:, :-1]
    edge = np.ones((draws, 1), dtype=np.bool_)
    first = np.maximum.accumulate(np.where(np.hstack([edge, differs]), places, 0), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([differs, edge]), places, units)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty((draws, units))
    np.put_along_axis(ranks, order, (first + last + 1 - units).astype(np.float64), axis=1)
    ranks[np.isnan(values).any(axis=1)] = np.nan
    return ranks


def _signs(values: FloatArray) -> FloatArray:
    """Return the sign of each difference between two values of a draw, shape (draws, units, units)."""
    values = np.round(values, DECIMALS)
    return np.sign(values[:, :, None] - values[:, None, :])


def _cosine(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the cosine of each pair of rows; NaN where a row is zero."""
    norms = np.sqrt(np.vecdot(one, one) * np.vecdot(other, other))
    found = np.full(len(one), np.nan)
    np.divide(np.vecdot(one, other), norms, out=found, where=norms > 0)
    return found
