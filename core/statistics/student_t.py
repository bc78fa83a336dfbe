"""Quantiles of Student's t distribution. It needs only numpy, because the explorer imports it."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_BISECTIONS = 60


def student_half_width(confidence: float, freedom: FloatArray) -> FloatArray:
    """Return how many standard errors a t-interval extends to either side.

    With t = sqrt(nu) tan(a), the density of t becomes a multiple of cos(a)^(nu - 1). Its integral is solved by
    bisection.

    Args:
        confidence: the confidence level of the interval, in (0, 1).
        freedom: degrees of freedom nu >= 1, not necessarily integers, of any shape.

    Returns:
        The (1 + confidence) / 2 quantiles, of the same shape.
    """
    nu = np.asarray(freedom, dtype=np.float64)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low = np.zeros_like(nu)
    # No quantile is above this bound. A wider bracket would leave too few nodes where the density is narrow.
    high = np.where(nu < 5, math.pi / 2, np.arctan(z * (1 + 40 / nu) / np.sqrt(nu)))
    scale = np.vectorize(_density_at_0, otypes=[np.float64])(nu)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        angles = middle[..., None] * (_NODES + 1) / 2
        mass = scale * middle / 2 * (np.cos(angles) ** (nu[..., None] - 1) @ _WEIGHTS)
        below = mass < confidence / 2
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(np.sqrt(nu) * np.tan((low + high) / 2), dtype=np.float64)


def _density_at_0(nu: float) -> float:
    return math.exp(math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)) / math.sqrt(math.pi)
