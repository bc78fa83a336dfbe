"""Measure how far an estimate is from a reference, which is usually the exact values of the same units and documents.

Both are means over the same documents, so intervals resample the documents for both at once. Documents on which all
values are high do not make the two disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics.bootstrap import resampled_means
from core.statistics.intervals import CONFIDENCE, FloatArray
from core.statistics.rank_correlation import DECIMALS, kendall_by_draw, raised_interval, spearman_by_draw
from core.statistics.ranks import ranks

_DRAWS = 1000
_PAIRS = 1 << 22
"""The largest number of comparisons of two units in memory at a time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number and its interval. None if it is undefined, for example a correlation of values that are all the same.

    Only the interval is None where documents do not tell it.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of an estimate with a reference on ``n`` documents.

    ``spearman`` and ``kendall`` (tau-b) are rank correlations over units, and ties count as ties. ``bias`` is the mean
    over units of estimate minus reference, ``rmse`` the root of the mean square, ``mae`` the mean of the sizes, and
    ``worst`` the largest of them, all in the value's own units.
    ``top`` is the part of the reference's ``k`` largest units above 0 that are also among the estimate's.
    """

    n: int
    k: int
    spearman: Measured
    kendall: Measured
    bias: Measured
    rmse: Measured
    mae: Measured
    worst: Measured
    top: Measured


def agreement(
    estimated: FloatArray,
    reference: FloatArray,
    *,
    k: int = 3,
    draws: int = _DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Agreement:
    """Compare two estimators' contributions.

    Intervals are percentiles of a bootstrap over documents, widened to contain what was measured. Resamples are noisier
    than the measured values. So the intervals of correlations are raised, as ``core.statistics.rank_correlation`` does;
    those of errors are too high with few documents.

    Args:
        estimated: contributions of shape (units, documents), from ``Estimator.contributions``.
        reference: likewise, over the same units and documents.
        k: how many units are at the top, at most all.
        draws: bootstrap resamples of the documents.
        confidence: the confidence of the intervals.
        seed: the seed of the bootstrap.

    Raises:
        ValueError: the two have other units or documents, or none.
    """
    if estimated.shape != reference.shape or not estimated.size:
        raise ValueError(f"need the same units and documents, got {estimated.shape} and {reference.shape}")
    units, documents = estimated.shape
    k = min(k, units)
    means = resampled_means(np.concatenate([estimated, reference]), draws, np.random.default_rng(seed))
    here = _numbers(estimated.mean(axis=1)[None], reference.mean(axis=1)[None], k)
    step = max(1, _PAIRS // units**2)
    blocks = [means[start : start + step] for start in range(0, draws, step)]
    drawn = np.concatenate([_numbers(block[:, :units], block[:, units:], k) for block in blocks], axis=1)
    spearman, kendall, *others = zip(here[:, 0].tolist(), drawn, strict=True)
    correlations = [_measured(value, row, confidence, raised=True) for value, row in (spearman, kendall)]
    return Agreement(documents, k, *correlations, *(_measured(value, row, confidence) for value, row in others))


def agreement_of_values(estimated: FloatArray, reference: FloatArray, *, k: int = 3) -> Agreement:
    """Compare values of shape (units,), of which no contributions are known, with a reference. There are no intervals.

    Args:
        estimated: a value for each unit.
        reference: contributions of shape (units, documents) of the same units.
        k: how many units are at the top, at most all.

    Raises:
        ValueError: the two have other units, or none.
    """
    if len(estimated) != len(reference) or not reference.size:
        raise ValueError(f"need values of the same units, got {estimated.shape} and {reference.shape}")
    k = min(k, len(estimated))
    numbers = _numbers(estimated[None], reference.mean(axis=1)[None], k)[:, 0]
    measured = [Measured(None if np.isnan(value) else float(value), None, None) for value in numbers]
    return Agreement(reference.shape[1], k, *measured)


def _numbers(estimated: FloatArray, reference: FloatArray, k: int) -> FloatArray:
    """Return the numbers of ``Agreement`` in its order by draw, shape (7, draws); NaN if undefined."""
    estimated, reference = np.round(estimated, DECIMALS), np.round(reference, DECIMALS)
    difference = estimated - reference
    spearman, kendall = spearman_by_draw(estimated, reference), kendall_by_draw(estimated, reference)
    wanted = _top(reference, k)
    hits, most = (_top(estimated, k) & wanted).sum(axis=1), wanted.sum(axis=1)
    top = np.divide(hits, most, out=np.full(len(hits), np.nan), where=most > 0)
    bias, rmse, sizes = difference.mean(axis=1), np.sqrt((difference**2).mean(axis=1)), np.abs(difference)
    return np.stack([spearman, kendall, bias, rmse, sizes.mean(axis=1), sizes.max(axis=1), top])


def _top(values: FloatArray, k: int) -> NDArray[np.bool_]:
    """Return which units are the k largest above 0, shape (draws, units). Ties go to the earlier unit."""
    return (ranks(values) <= k) & (values > 0)


def _measured(value: float, drawn: FloatArray, confidence: float, *, raised: bool = False) -> Measured:
    if np.isnan(value):
        return Measured(None, None, None)
    if raised:
        return Measured(value, *raised_interval(value, drawn, confidence=confidence))
    low, high = np.nanquantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Measured(value, min(value, float(low)), max(value, float(high)))
