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
"""To which values are compared: weighted sums of equal values differ beyond, and would not tie."""


@dataclass(frozen=True, slots=True)
class Correlated:
    """A correlation of two rankings, with a percentile interval bootstrapped over documents that holds it.

    NaN where a ranking has but one rank. A resample is noisier than the sample, and noise lowers a correlation, so the
    interval leans to 0.
    """

    value: float
    low: float
    high: float


def spearman(one: FloatArray, other: FloatArray) -> float:
    """Spearman's rho: Pearson's correlation of ranks, ties sharing their mean. NaN where one never varies."""
    return float(spearman_by_draw(one[None], other[None])[0])


def kendall(one: FloatArray, other: FloatArray) -> float:
    """Kendall's tau-b, which allows for ties (Kendall 1945). NaN where one never varies."""
    return float(kendall_by_draw(one[None], other[None])[0])


def spearman_by_draw(one: FloatArray, other: FloatArray) -> FloatArray:
    """``spearman`` of each draw; both are of shape (draws, what), the result of shape (draws,)."""
    # A mid-rank is half the sum of the signs of its differences, but for a constant.
    return _cosine(_signs(one).sum(axis=2), _signs(other).sum(axis=2))


def kendall_by_draw(one: FloatArray, other: FloatArray) -> FloatArray:
    """``kendall`` of each draw, likewise."""
    flat = (len(one), -1)
    return _cosine(_signs(one).reshape(flat), _signs(other).reshape(flat))


def correlated(correlation: Correlation, one: FloatArray, other: FloatArray, *, seed: int = 0) -> Correlated:
    """The correlation of two means over the same documents, which are resampled together.

    Args:
        correlation: ``spearman`` or ``kendall``.
        one: of shape (what, documents).
        other: likewise.
        seed: of the bootstrap.
    """
    value = correlation(one.mean(axis=1), other.mean(axis=1))
    means = resampled_means(np.concatenate([one, other]), DRAWS, np.random.default_rng(seed))
    drawn = np.array([correlation(line[: len(one)], line[len(one) :]) for line in means])
    if np.isnan(value) or np.isnan(drawn).all():
        return Correlated(value, float("nan"), float("nan"))
    low, high = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Correlated(value, min(value, float(low)), max(value, float(high)))


def reliability(values: FloatArray, *, seed: int = 0) -> float:
    """How well a ranking by means over these documents would agree with one by as many others; NaN for one document.

    It is the mean Spearman correlation between random halves of the documents (0 where one has but one rank), stepped
    up to their full number (Spearman 1910, Brown 1910), and 0 where the halves do not agree at all. No proxy can be
    expected to agree with the ranking better than about its square root.

    Args:
        values: of shape (what, documents).
        seed: of the halves.
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


def _signs(values: FloatArray) -> FloatArray:
    """Of every difference of two values of a draw, shape (draws, what, what)."""
    values = np.round(values, DECIMALS)
    return np.sign(values[:, :, None] - values[:, None, :])


def _cosine(one: FloatArray, other: FloatArray) -> FloatArray:
    norms = np.sqrt(np.vecdot(one, one) * np.vecdot(other, other))
    found = np.full(len(one), np.nan)
    np.divide(np.vecdot(one, other), norms, out=found, where=norms > 0)
    return found
