"""Student's t distribution, for few documents. numpy alone: the explorer imports this."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_BISECTIONS = 60


def student_half_width(confidence: float, freedom: FloatArray) -> FloatArray:
    """By how many standard errors a t-interval reaches to either side.

    With t = sqrt(nu) tan(a), t's density becomes a multiple of cos(a)^(nu - 1), whose integral is bisected.

    Args:
        confidence: of the interval, in (0, 1).
        freedom: degrees of freedom nu >= 1, not necessarily whole, of any shape.

    Returns:
        The (1 + confidence) / 2 quantiles, of the same shape.
    """
    nu = np.asarray(freedom, dtype=np.float64)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low = np.zeros_like(nu)
    # No quantile is beyond this one; a wider bracket would leave the nodes too few where the density is narrow.
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
