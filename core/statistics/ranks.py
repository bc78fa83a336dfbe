"""Ranks of values; rank 1 is the largest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray


def ranks(phi: FloatArray) -> NDArray[np.int64]:
    """Return ranks along the last axis; of equal values the earlier unit ranks first."""
    order = np.argsort(-phi, axis=-1, kind="stable")
    found = np.empty(phi.shape, dtype=np.int64)
    np.put_along_axis(found, order, np.arange(1, phi.shape[-1] + 1), axis=-1)
    return found


def leading(values: FloatArray, count: int) -> tuple[int, ...]:
    """Return the positions of the largest positive values, largest first; of equal values the earlier comes first.

    There are fewer than ``count`` if fewer values are positive. So no unit leads only because it is early among zeros.
    """
    order = np.argsort(-values, kind="stable")[:count]
    return tuple(int(at) for at in order if values[at] > 0)
