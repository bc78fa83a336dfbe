"""Estimators by the names that options, files and outputs have for them."""

from __future__ import annotations

from difflib import get_close_matches

from core.coalitions.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from core.errors import CornerstoneError
from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.windows import WindowEnds, WindowFirst

WINDOW_ESTIMATORS = (WindowFirst.name, WindowEnds.name)
"""The paper's, in both readings: what the schedule of windows answers."""

ESTIMATORS: tuple[str, ...] = (*WINDOW_ESTIMATORS, Exact.name, Permutation.name, LeaveOneOut.name)


def estimator_named(
    name: str,
    *,
    max_removed: int = DEFAULT_MAX_REMOVED,
    permutations: int = DEFAULT_PERMUTATIONS,
    seed: int = 0,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Estimator:
    """The estimator of a name, with the settings that concern it.

    Args:
        name: one of ``ESTIMATORS``.
        max_removed: the longest window (early truncation), for the window estimators.
        permutations: walks, for permutation.
        seed: of the orders of permutation.
        tolerance: at which a walk of permutation ends.

    Raises:
        CornerstoneError: there is no such estimator, or a setting makes none.
    """
    match name:
        case WindowFirst.name:
            return WindowFirst(max_removed)
        case WindowEnds.name:
            return WindowEnds(max_removed)
        case Exact.name:
            return Exact()
        case Permutation.name:
            return Permutation(permutations, seed, tolerance)
        case LeaveOneOut.name:
            return LeaveOneOut()
        case _:
            close = get_close_matches(name, ESTIMATORS, n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise CornerstoneError(f"no estimator {name!r}; there is {', '.join(ESTIMATORS)}{meant}")
