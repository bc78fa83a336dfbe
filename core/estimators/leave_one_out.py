"""What is lost when a unit alone is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT, ablation
from core.estimators.estimator import Outcomes, require
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """phi_i = v(N) - v(N minus {i}): the drop of an ablation, which is no Shapley value where units interact."""

    name: ClassVar[str] = "leave-one-out"

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return [removed for removed in ablation(units) if removed not in outcomes]

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        return np.stack([outcomes[INTACT] - outcomes[(unit,)] for unit in range(units)])

    def sampling_noise(self, outcomes: Outcomes, units: int) -> None:
        return None
