"""Standard errors and intervals of means over documents. numpy only: the explorer imports this."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Drop:
    """How much a score falls: ``drop`` = mean(intact - ablated) over ``n`` documents, with its interval."""

    n: int
    drop: float
    low: float
    high: float


def mean_se(values: FloatArray) -> float | None:
    """Standard error of a mean, as lm-eval has it: sample standard deviation (ddof 1) over sqrt(n); None for n < 2."""
    if len(values) < 2:
        return None
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def score_half_width(n: int, confidence: float = CONFIDENCE) -> float:
    """Half-width that n documents allow at best: z^2 / (n + z^2).

    It is the score interval of a paired difference when no pair differs (Tango 1998), so it says what cannot be ruled
    out when nothing varied.
    """
    z2 = _z(confidence) ** 2
    return z2 / (n + z2)


def paired_drop(intact: FloatArray, ablated: FloatArray, confidence: float = CONFIDENCE) -> Drop:
    """The drop from intact to ablated over the same documents, with its interval.

    For 0/1 outcomes the interval is Tango's score interval for a paired difference of proportions (Tango 1998,
    "Equivalence test and confidence interval for the difference in proportions for the paired-sample design"), which
    keeps its coverage near 0 and 1 and never has zero width. For other values it is normal, widened likewise where
    nothing varies.

    Args:
        intact: scores of shape (n,), n >= 1.
        ablated: scores of the same documents in the same order.
        confidence: of the interval.

    Raises:
        ValueError: no documents, or arrays of different length.
    """
    n = len(intact)
    if n == 0 or len(ablated) != n:
        raise ValueError(f"need the same documents on both sides, got {n} and {len(ablated)}")
    drop = float(np.mean(intact - ablated))
    if _is_binary(intact) and _is_binary(ablated):
        lost = int(np.sum((intact == 1) & (ablated == 0)))
        won = int(np.sum((intact == 0) & (ablated == 1)))
        low, high = tango_interval(lost, won, n, confidence)
        return Drop(n, drop, low, high)
    margin = normal_margin(intact - ablated, confidence)
    return Drop(n, drop, drop - margin, drop + margin)


def tango_interval(lost: int, won: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Tango's score interval for (lost - won) / n, where ``lost`` and ``won`` count the discordant pairs among n."""
    z = _z(confidence)
    estimate = (lost - won) / n
    low = -_bound(won, lost, n, z) if estimate > -1 else -1.0
    high = _bound(lost, won, n, z) if estimate < 1 else 1.0
    return low, high


def normal_margin(values: FloatArray, confidence: float = CONFIDENCE) -> float:
    """Half-width of an interval for a mean: z standard errors, or the score half-width where nothing varies."""
    se = mean_se(values)
    return _z(confidence) * se if se else score_half_width(len(values), confidence)


def _bound(b: int, c: int, n: int, z: float) -> float:
    """The largest difference that the score test does not reject: where its statistic has fallen to -z."""
    low, high = (b - c) / n, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _statistic(middle, b, c, n) > -z:
            low = middle
        else:
            high = middle
    return high


def _statistic(delta: float, b: int, c: int, n: int) -> float:
    """Tango's score statistic, its variance taken at the maximum-likelihood estimate constrained to ``delta``."""
    linear = -b - c + (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    q = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * q + delta * (1 - delta))
    return (b - c - n * delta) / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, b - c - n * delta)


def _is_binary(values: FloatArray) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
