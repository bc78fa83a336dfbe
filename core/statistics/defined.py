"""Undefined numbers: NaN in arrays, None in rows."""

from __future__ import annotations

import math


def defined(number: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if math.isnan(number) else float(number)
