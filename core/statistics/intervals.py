"""Standard errors and intervals of means over documents. It needs only numpy, because the explorer imports it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.statistics.mcnemar import mcnemar_p
from core.statistics.student_t import student_half_width

FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
_BISECTIONS = 60
_ROUNDING = 1e-12
_PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Drop:
    """The drop of a score: ``drop`` = mean(intact - ablated) over ``n`` documents, with its interval.

    ``p_value`` comes from McNemar's exact test of no difference; it is None unless all scores are 0 or 1.
    """

    n: int
    drop: float
    low: float
    high: float
    p_value: float | None


def mean_se(values: FloatArray) -> float | None:
    """Return the standard error of a mean as lm-eval defines it: sample standard deviation (ddof 1) over sqrt(n).

    It is None for n < 2, and exactly 0 if all values are equal.
    """
    if len(values) < 2:
        return None
    if np.ptp(values) == 0:
        return 0.0
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def proportion_interval(values: FloatArray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's (1927) score interval for the mean of scores in [0, 1]; its width is never zero.

    No score in [0, 1] varies more than a 0/1 score with the same mean. So for graded scores the interval may be too
    wide, but not too narrow.

    Args:
        values: scores of shape (n,), n >= 1.
        confidence: the confidence level of the interval.

    Raises:
        ValueError: there are no values, or one is outside [0, 1].
    """
    n = len(values)
    if n == 0 or not _in_unit_range(values):
        raise ValueError(f"need at least one score, all in [0, 1], got {n}")
    mean = float(np.mean(values))
    z2 = _z(confidence) ** 2
    centre = (mean + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (mean * (1 - mean) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))


def mean_interval(values: FloatArray, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return an interval for a mean over documents: Wilson's for scores in [0, 1], else a normal one.

    Its width is never zero. It is None if a normal interval is needed and there are fewer than two values.

    Args:
        values: shape (n,), n >= 1.
        confidence: the confidence level of the interval.
    """
    if _in_unit_range(values):
        return proportion_interval(values, confidence)
    se = mean_se(values)
    if se is None:
        return None
    half = _z(confidence) * se or unseen_half_width(values, confidence)
    mean = float(np.mean(values))
    return mean - half, mean + half


def never_varies(values: FloatArray, scale: float | FloatArray) -> NDArray[np.bool_]:
    """Return whether ``values`` are equal along their last axis.

    The rounding of numbers as large as ``scale``, which may differ by row, is ignored.
    """
    return np.asarray(np.ptp(values, axis=-1) <= _ROUNDING * np.maximum(scale, 1.0))


def without_rounding(values: FloatArray, scale: float | FloatArray) -> FloatArray:
    """Return ``values`` with 0 where only rounding errors are left, in sums of numbers as large as ``scale``.

    A rounding error has no meaningful sign. ``scale`` may be an array that fits ``values``.
    """
    return np.where(np.abs(values) <= _ROUNDING * np.maximum(scale, 1.0), 0.0, values)


def score_half_width(n: int, confidence: float = CONFIDENCE) -> float:
    """Return the smallest half-width that n documents allow: z^2 / (n + z^2).

    It is the score interval of a paired difference when no pair differs (Tango 1998). So it says what cannot be ruled
    out when nothing varied.
    """
    z2 = _z(confidence) ** 2
    return z2 / (n + z2)


def unseen_half_width(differences: FloatArray, confidence: float = CONFIDENCE, largest: float = 1.0) -> float:
    """Return the half-width for a mean of differences that never varied: ``score_half_width`` times their largest size.

    Scores in [0, 1] differ by at most 1, so the size is at least 1. A value without a known range, such as nats, may
    differ by more. The assumption is that it differs by no more than any of ``differences`` did. A document with a
    larger difference would not be covered, and no finite interval could cover it.

    Args:
        differences: all differences observed of that kind, shape (..., documents), documents >= 1.
        confidence: the confidence level of the interval.
        largest: the size of the largest difference of that kind, if it is not among these.
    """
    return score_half_width(differences.shape[-1], confidence) * max(largest, 1.0, float(np.abs(differences).max()))


def t_interval(
    values: FloatArray, confidence: float, scale: float, noise: FloatArray | None = None, largest: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return bounds for means over documents of values that are mostly 0 and skewed, such as drops and contributions.

    The bounds enclose the mean, and their width is never zero. Values that never vary have ``unseen_half_width`` among
    all rows. For the rest, three corrections are made, because bootstrap percentiles cover only 92 to 95% at 64
    documents:

    - Student's t for this number of documents;
    - where most documents are 0, up to half a document is added, as far from 0 as the root mean square of the others.
      A variance is underestimated exactly when chance left out the few documents that matter (as Bonett and Price
      2012 add pairs to a table);
    - the first skewness term of Edgeworth's expansion (Johnson 1978, "Modified t tests and confidence intervals for
      asymmetrical populations") widens the side to which values are skewed, where the mean is least certain.

    The measured coverage (tests/core/estimators/test_coverage.py) is 93 to 97% where a dozen documents or more are not
    0. With fewer, no interval of so discrete a mean can stay in that range; this one then tends to cover more.

    Args:
        values: shape (rows, documents), documents >= 1.
        confidence: the confidence level of the interval.
        scale: the size of the numbers that values are differences of; their rounding does not count as variation.
        noise: deviations of shape (repetitions, rows), repetitions >= 2. The variance of their mean is added to that of
            the means (degrees of freedom by Welch and Satterthwaite).
        largest: as in ``unseen_half_width``.

    Returns:
        Lower and upper bounds, each of shape (rows,).
    """
    documents = values.shape[1]
    mean = values.mean(axis=1)
    constant = never_varies(values, scale)
    freedom = max(documents - 1, 1)
    centred = values - mean[:, None]
    squares, cubes = np.vecdot(centred, centred), np.vecdot(centred, centred * centred)
    variance = (squares + _PRIOR * _jump(values)) / (freedom * documents)
    reach = student_half_width(confidence, np.array(float(freedom)))
    certain = unseen_half_width(values, confidence, largest) / reach
    variance = np.where(constant, certain**2, variance)
    # mu_3 / (sigma^2 n), the unit of Johnson's correction.
    skew = np.divide(cubes, squares * documents, out=np.zeros_like(mean), where=~constant)
    if noise is not None:
        own = (noise**2).sum(axis=0) / (len(noise) * (len(noise) - 1))
        total = variance + own
        reach = student_half_width(confidence, total**2 / (variance**2 / freedom + own**2 / (len(noise) - 1)))
        variance = total
    half = reach * np.sqrt(variance)
    shift = skew * (1 + 2 * reach**2) / 6
    return mean - half + np.minimum(shift, 0), mean + half + np.maximum(shift, 0)


def paired_drop(intact: FloatArray, ablated: FloatArray, confidence: float = CONFIDENCE) -> Drop:
    """Return the drop from intact to ablated over the same documents, with its interval.

    For 0/1 outcomes the interval is Tango's score interval for a paired difference of proportions (Tango 1998,
    "Equivalence test and confidence interval for the difference in proportions for the paired-sample design"). It keeps
    its coverage near 0 and 1, and its width is never zero. It covers about 93 to 97% where 5 documents or more are
    expected to differ. With fewer it covers more, because it must include what cannot be ruled out when none differs.
    For other values the interval is ``t_interval``, limited to [-1, 1] if the scores are within [0, 1].

    Args:
        intact: scores of shape (n,), n >= 1.
        ablated: scores of the same documents in the same order.
        confidence: the confidence level of the interval.

    Raises:
        ValueError: there are no documents, or the arrays differ in length.
    """
    n = len(intact)
    if n == 0 or len(ablated) != n:
        raise ValueError(f"need the same documents on both sides, got {n} and {len(ablated)}")
    drop = float(np.mean(intact - ablated))
    if _is_binary(intact) and _is_binary(ablated):
        lost = int(np.sum((intact == 1) & (ablated == 0)))
        won = int(np.sum((intact == 0) & (ablated == 1)))
        low, high = tango_interval(lost, won, n, confidence)
        return Drop(n, drop, low, high, mcnemar_p(lost, won))
    scale = float(max(np.abs(intact).max(), np.abs(ablated).max()))
    (low,), (high,) = t_interval((intact - ablated)[None], confidence, scale)
    limit = 1.0 if _in_unit_range(intact) and _in_unit_range(ablated) else math.inf
    return Drop(n, drop, max(float(low), -limit), min(float(high), limit), None)


@lru_cache(maxsize=4096)
def tango_interval(lost: int, won: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Tango's score interval for (lost - won) / n; ``lost`` and ``won`` count the discordant pairs among n."""
    z = _z(confidence)
    estimate = (lost - won) / n
    low = -_bound(won, lost, n, z) if estimate > -1 else -1.0
    high = _bound(lost, won, n, z) if estimate < 1 else 1.0
    return low, high


def _bound(b: int, c: int, n: int, z: float) -> float:
    """Return the largest difference that the score test does not reject: where its statistic has fallen to -z."""
    low, high = (b - c) / n, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _statistic(middle, b, c, n) > -z:
            low = middle
        else:
            high = middle
    return high


def _statistic(delta: float, b: int, c: int, n: int) -> float:
    """Return Tango's score statistic, with the variance at the maximum-likelihood estimate constrained to ``delta``."""
    linear = -b - c + (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    q = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * q + delta * (1 - delta))
    return (b - c - n * delta) / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, b - c - n * delta)


def _jump(values: FloatArray) -> FloatArray:
    """Return the mean square of each row's non-zero values times the fraction of zeros; 0 if all are zero."""
    nonzero = np.count_nonzero(values, axis=1)
    squares = np.divide(np.vecdot(values, values), nonzero, out=np.zeros(len(values)), where=nonzero > 0)
    return np.asarray(squares * (1 - nonzero / values.shape[1]), dtype=np.float64)


def _is_binary(values: FloatArray) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _in_unit_range(values: FloatArray) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
