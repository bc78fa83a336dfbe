"""shapiq's approximators on a game whose coalitions are all there (optional extra ``approximators``).

RegressionMSR (Witter et al. 2025), ProxySHAP and OddSHAP (Fumagalli et al. 2026) draw coalitions of their own, so they
cannot read windows. On a game that is stored whole they can draw what they like, and be held against exact values.
shapiq loads scipy and scikit-learn, so this module loads it when it is asked, and no screen asks.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.coalitions.players import Removed
from core.estimators.estimator import Outcomes
from core.statistics.intervals import FloatArray

NAMES = ("RegressionMSR", "ProxySHAP", "OddSHAP")
_FITTED_BY = ("xgboost", "lightgbm")
_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class Approximation:
    """Shapley values by one of shapiq's approximators.

    Attributes:
        name: shapiq's name of it.
        budget: how many coalitions it was allowed.
        coalitions: how many it read.
        phi: the values of shape (units,).
    """

    name: str
    budget: int
    coalitions: int
    phi: FloatArray


def lacking() -> str | None:
    """Return a sentence on what is absent for shapiq's approximators; None if all is there."""
    absent = [name for name in ("shapiq", *_FITTED_BY) if find_spec(name) is None]
    if absent:
        why = f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
    else:
        shapiq = importlib.import_module("shapiq")
        unknown = [name for name in NAMES if not hasattr(shapiq, name)]
        if not unknown:
            return None
        why = f"shapiq {shapiq.__version__} has no {' and no '.join(unknown)}"
    return (
        f"shapiq's {', '.join(NAMES[:-1])} and {NAMES[-1]} are not compared: {why}. They come with the extra "
        "cornerstone[approximators], from Python 3.12 on"
    )


def approximations(outcomes: Outcomes, units: int, budgets: Iterable[int], seed: int) -> Iterator[Approximation]:
    """Yield the values by each approximator under each budget, as shapiq sets them by default.

    Trees are fitted, so that values are no mean over documents: there is one of the mean game, and no contributions.

    Args:
        outcomes: per-document values of all coalitions of units.
        units: the number of units, at least 2.
        budgets: how many coalitions an approximator may read. One that does not work with so few is left out.
        seed: of the coalitions that are drawn.

    Raises:
        CornerstoneError: a coalition is missing.
        ImportError: ``lacking`` has a sentence.
    """
    from core.shapiq_bridge import OutcomesGame, removed_units

    shapiq = importlib.import_module("shapiq")
    game = OutcomesGame(outcomes, [f"unit {unit}" for unit in range(units)])
    for budget in budgets:
        for name in NAMES:
            read: set[Removed] = set()

            def values(coalitions: NDArray[Any], read: set[Removed] = read) -> FloatArray:
                read.update(map(removed_units, np.atleast_2d(coalitions)))
                return game.value_function(coalitions)

            try:
                found = _made(shapiq, name, units, seed % _SEEDS).approximate(budget, values)
            except ValueError:  # too few coalitions or units for it, which it says by this
                continue
            phi = np.asarray(found.get_n_order_values(1), dtype=np.float64)
            yield Approximation(name, budget, len(read), phi)


def _made(shapiq: Any, name: str, units: int, seed: int) -> Any:
    """Make an approximator of Shapley values."""
    kind = getattr(shapiq, name)
    if name == "OddSHAP":
        return kind(n=units, random_state=seed)
    return kind(n=units, index="SV", random_state=seed, **({"max_order": 1} if name == "ProxySHAP" else {}))
