"""Ranks: 1 is the largest value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.intervals import FloatArray


def ranks(phi: FloatArray) -> NDArray[np.int64]:
    """Ranks along the last axis; ties go to the earlier unit."""
    order = np.argsort(-phi, axis=-1, kind="stable")
    found = np.empty(phi.shape, dtype=np.int64)
    np.put_along_axis(found, order, np.arange(1, phi.shape[-1] + 1), axis=-1)
    return found
