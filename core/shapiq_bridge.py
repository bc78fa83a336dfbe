"""A bridge to shapiq (optional extra ``shapiq``): our outcomes as its game, our estimates as its interaction values.

shapiq writes a coalition by who is in it, here by who is removed; this is the one place that turns one into the other.
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
    raise CornerstoneError("shapiq is not installed; pip install 'cornerstone[shapiq]'") from error

EvaluateUnits = Callable[[Sequence[Removed]], Mapping[Removed, FloatArray]]
"""Evaluates coalitions of units: per-document values, of the same documents as those that are there."""


class OutcomesGame(shapiq.Game):  # type: ignore[misc]
    """The game whose players are units and whose value is the mean over documents.

    It is not normalized: without any unit a model still scores, by chance if by nothing else.
    """

    def __init__(self, outcomes: Outcomes, labels: Sequence[str], evaluate: EvaluateUnits | None = None) -> None:
        """A game over stored outcomes.

        Args:
            outcomes: per-document values by removed units, each of shape (documents,).
            labels: of the units, each another; shapiq takes coalitions by these names too.
            evaluate: asked for coalitions that are not in ``outcomes``; what it gives is kept.
        """
        super().__init__(len(labels), normalize=False, player_names=list(labels))
        self._means = {removed: float(np.mean(values)) for removed, values in outcomes.items()}
        self._evaluate = evaluate

    def value_function(self, coalitions: NDArray[Any]) -> FloatArray:
        """The values of coalitions.

        Args:
            coalitions: who is in, shape (coalitions, units), boolean or 0/1.

        Returns:
            Shape (coalitions,).

        Raises:
            CornerstoneError: a coalition is not stored, and there is nothing to evaluate it.
        """
        wanted = [removed_units(line) for line in np.atleast_2d(coalitions)]
        missing = list(dict.fromkeys(removed for removed in wanted if removed not in self._means))
        if missing and self._evaluate is None:
            count = "a coalition" if len(missing) == 1 else f"{len(missing)} coalitions"
            raise CornerstoneError(
                f"the game lacks {count} of its {self.n_players} units, such as the one without "
                f"{self._named(missing[0])}; evaluate them first, or give the game a function that does"
            )
        if missing and self._evaluate is not None:
            found = self._evaluate(missing)
            self._means |= {removed: float(np.mean(found[removed])) for removed in missing}
        return np.array([self._means[removed] for removed in wanted])

    def _named(self, removed: Removed) -> str:
        names = list(self.player_name_lookup)
        return ", ".join(names[unit] for unit in removed) or "nothing"


def removed_units(coalition: NDArray[Any]) -> Removed:
    """What is removed in a coalition that shapiq writes by who is in it, shape (units,)."""
    return tuple(np.flatnonzero(~coalition.astype(bool)).tolist())


def interaction_values(
    estimate: Estimate, *, nothing: float | None = None, coalitions: int | None = None
) -> shapiq.InteractionValues:
    """An estimate as shapiq's values of order 1, for its plots and comparisons.

    They are marked as estimated but where they are exact. The window estimators have no Shapley weights, so as an
    estimate of the Shapley value they may be far off; ``estimate.estimator`` says which it is.

    Args:
        estimate: of the units.
        nothing: the value with every unit removed, shapiq's baseline; by default 0.
        coalitions: how many the estimate read, shapiq's budget.
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
