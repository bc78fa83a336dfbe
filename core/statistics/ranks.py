"""Ranks: 1 is the largest value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray


def ranks(phi: FloatArray) -> NDArray[np.int64]:
    """Ranks along the last axis; ties go to the earlier unit."""
    order = np.argsort(-phi, axis=-1, kind="stable")
    found = np.empty(phi.shape, dtype=np.int64)
    np.put_along_axis(found, order, np.arange(1, phi.shape[-1] + 1), axis=-1)
    return found


def leading(values: FloatArray, count: int) -> tuple[int, ...]:
    """The places of the largest positive values, the largest first; of equal values the earlier.

    They are fewer than ``count`` where fewer are positive: none is named for being an early one of many zeros.
    """
    order = np.argsort(-values, kind="stable")[:count]
    return tuple(int(at) for at in order if values[at] > 0)
