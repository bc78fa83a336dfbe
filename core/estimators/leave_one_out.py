"""Leave-one-out: the drop when one unit alone is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT, ablation
from core.estimators.estimator import Estimator, Outcomes, require
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class LeaveOneOut(Estimator):
    """phi_i = v(N) - v(N minus {i}): the drop of an ablation. It is no Shapley value if units interact."""

    name: ClassVar[str] = "leave-one-out"
    summary: ClassVar[str] = "each one removed alone: what is lost without it"
    schedule: ClassVar[str] = "ablation"
    shapley: ClassVar[bool] = False

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return [removed for removed in ablation(units) if removed not in outcomes]

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        return np.stack([outcomes[INTACT] - outcomes[(unit,)] for unit in range(units)])

    def needs(self, unit: int, units: int) -> tuple[Removed, ...]:
        del units
        return INTACT, (unit,)

    def most_removed(self, units: int) -> int:
        del units
        return 1
