"""What an estimator is: the coalitions that it needs, and what each unit contributes on each document.

A value v is a mean over documents, so every estimator here is a mean of per-document contributions; standard errors,
intervals, shares and ranks follow from those (``core.estimators.estimate``) and are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.statistics.intervals import FloatArray

Outcomes = Mapping[Removed, FloatArray]
"""Per-document values by removed units; all arrays have shape (documents,), the same documents in the same order."""


class Estimator(Protocol):
    """A way to Shapley values. Units count from 0 in natural order; a coalition is written by its removed units."""

    @property
    def name(self) -> str:
        """One of ``core.estimators.registry.ESTIMATORS``."""
        ...

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        """Coalitions to evaluate next; none where the estimate can be made.

        An estimator that decides by what it has seen asks in rounds, so a schedule asks until nothing is missing.

        Raises:
            CornerstoneError: there is no such estimate of so many units.
        """
        ...

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        """Each unit's contribution on each document, shape (units, documents); phi is its mean over documents.

        Raises:
            CornerstoneError: coalitions are missing.
        """
        ...

    def sampling_noise(self, outcomes: Outcomes, units: int) -> FloatArray | None:
        """How an estimate's independent repetitions deviate from their mean, shape (repetitions, units).

        Scaled so that their variance over their number is what drawing the coalitions adds to the variance of phi.
        None where the coalitions are not drawn.
        """
        ...


def require(estimator: Estimator, outcomes: Outcomes, units: int) -> None:
    """Refuse to estimate from half a schedule.

    Raises:
        CornerstoneError: coalitions are missing.
    """
    missing = estimator.missing(outcomes, units)
    if missing:
        coalitions = "1 more coalition" if len(missing) == 1 else f"{len(missing)} more coalitions"
        raise CornerstoneError(f"{estimator.name} needs {coalitions} of these {units} units; evaluate them first")
