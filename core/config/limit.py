"""How many documents of a task a run reads: a number, or a part of them, as in lm-eval."""

from __future__ import annotations

import math
from typing import Any, Final

from core.machine.plain_text import short_repr

MOST_COUNT: Final = 10**9
"""The largest count that a configuration may ask for."""

Limit = int | float | None
"""A number of documents (1 or more), a part of them (above 0 and below 1), or None for all."""


def checked_limit(given: Any) -> Any:
    """Return a limit as it is kept: an int for a number of documents, a float for a part of them.

    Args:
        given: a number, or the text of one; 10.0 is 10.

    Raises:
        ValueError: it is neither.
    """
    if given is None:
        return None
    number = _number(given)
    if number is None or not 0 < number < math.inf or (number > 1 and number != int(number)):
        raise ValueError(
            "should be a whole number of documents, greater than or equal to 1, or a part of them below 1, such as "
            f"0.1, not {short_repr(given)}"
        )
    if number > MOST_COUNT:
        raise ValueError(f"should be less than or equal to {MOST_COUNT}, not {short_repr(given)}")
    return int(number) if number >= 1 else float(number)


def documents_in(limit: Limit, size: int) -> int:
    """Return how many of ``size`` documents a limit takes; of a part, lm-eval rounds up."""
    if limit is None:
        return size
    return math.ceil(size * limit) if limit < 1 else min(int(limit), size)


def larger_limit(one: Limit, other: Limit) -> Limit:
    """Return the limit that takes more documents; ``one`` if that depends on the data set: a number and a part."""
    if one is None or other is None:
        return None
    return max(one, other) if (one < 1) == (other < 1) else one


def _number(given: Any) -> int | float | None:
    """Return a number, or the number that a text writes; None if it is none."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given
    if isinstance(given, str):
        for kind in (int, float):
            try:
                return kind(given)
            except ValueError:
                continue
    return None
