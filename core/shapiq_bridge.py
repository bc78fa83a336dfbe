"""A bridge to shapiq (optional extra ``shapiq``): outcomes as a shapiq game, estimates as shapiq interaction values.

shapiq describes a coalition by its members, Cornerstone by the removed units; only this module converts between them.
Muschalik et al. 2024, "shapiq: Shapley interactions for machine learning".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.estimate import Estimate
from core.estimators.estimator import Outcomes
from core.statistics.intervals import FloatArray

try:
    import shapiq
except ImportError as error:
    raise CornerstoneError("shapiq is not installed; it comes with the extra cornerstone[shapiq]") from error

EvaluateUnits = Callable[[Sequence[Removed]], Mapping[Removed, FloatArray]]
"""Evaluates coalitions of units: per-document values, of the same documents as those that are there."""


class OutcomesGame(shapiq.Game):  # type: ignore[misc]
    """A game whose players are units and whose value is the mean over documents.

    It is not normalized: even with all units removed, a model has a score (at least chance).
    """

    def __init__(self, outcomes: Outcomes, labels: Sequence[str], evaluate: EvaluateUnits | None = None) -> None:
        """Make a game of stored outcomes.

        Args:
            outcomes: per-document values by removed units, each of shape (documents,).
            labels: the names of the units, all different; shapiq also accepts coalitions by these names.
            evaluate: called for coalitions that are not in ``outcomes``; its results are kept.
        """
        super().__init__(len(labels), normalize=False, player_names=list(labels))
        self._means = {removed: float(np.mean(values)) for removed, values in outcomes.items()}
        self._evaluate = evaluate

    def value_function(self, coalitions: NDArray[Any]) -> FloatArray:
        """Return the values of coalitions.

        Args:
            coalitions: the members of each coalition, shape (coalitions, units), boolean or 0/1.

        Returns:
            The values, shape (coalitions,).

        Raises:
            CornerstoneError: a coalition is not stored, and there is no function to evaluate it.
        """
        wanted = [removed_units(line) for line in np.atleast_2d(coalitions)]
        missing = list(dict.fromkeys(removed for removed in wanted if removed not in self._means))
        if missing and self._evaluate is None:
            count = "a coalition" if len(missing) == 1 else f"{len(missing)} coalitions"
            raise CornerstoneError(
                f"the game lacks {count} of its {self.n_players} units, such as the one without "
                f"{self._named(missing[0])}; evaluate them first, or pass a function as `evaluate`"
            )
        if missing and self._evaluate is not None:
            found = self._evaluate(missing)
            self._means |= {removed: float(np.mean(found[removed])) for removed in missing}
        return np.array([self._means[removed] for removed in wanted])

    def _named(self, removed: Removed) -> str:
        names = list(self.player_name_lookup)
        return ", ".join(names[unit] for unit in removed) or "nothing"


def removed_units(coalition: NDArray[Any]) -> Removed:
    """Return the removed units of a coalition that shapiq describes by its members, shape (units,)."""
    return tuple(np.flatnonzero(~coalition.astype(bool)).tolist())


def interaction_values(
    estimate: Estimate, *, nothing: float | None = None, coalitions: int | None = None
) -> shapiq.InteractionValues:
    """Return an estimate as shapiq's interaction values of order 1, for its plots and comparisons.

    They are marked as estimated unless the estimator is exact. The window estimators do not weight coalitions as the
    Shapley value does, so they may be far from it; ``estimate.estimator`` names the estimator.

    Args:
        estimate: the estimate of the units.
        nothing: the value with all units removed, shapiq's baseline; by default 0.
        coalitions: how many coalitions the estimate used, shapiq's budget.
    """
    return shapiq.InteractionValues(
        {(unit,): float(value) for unit, value in enumerate(estimate.phi)},
        index="SV",
        max_order=1,
        min_order=0,
        n_players=len(estimate.phi),
        estimated=estimate.estimator != "exact",
        estimation_budget=coalitions,
        baseline_value=0.0 if nothing is None else nothing,
    )
