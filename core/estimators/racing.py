"""Race the units of a game, for the top or against a cost, by documents in the order in which they were drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import Grouping
from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT
from core.estimators.estimator import Estimator
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Game, Scores
from core.statistics.costs import CostRace, CostVerdicts
from core.statistics.intervals import FloatArray
from core.statistics.verdicts import Race, Verdicts

Reached = Callable[[Sequence[Removed]], int]
"""How many documents, from the first on, were evaluated under all of some coalitions of units."""


def stored_verdicts(game: Game, scores: Scores, order: NDArray[np.intp], race: Race) -> Verdicts | None:
    """Return the verdicts on a game's units; None where the documents do not decide, or nothing is to be decided.

    The documents alone do not decide where coalitions are drawn at random or follow from outcomes, nor where values are
    extrapolated.

    Args:
        game: the units, and the estimator of their values.
        scores: values by removed units, NaN where a document was not evaluated.
        order: the places of the documents, the one drawn first first, shape (documents,).
        race: decides on the largest units; it may have looked at some of the documents before.
    """
    estimator = game.estimator
    if estimator.in_rounds or estimator.extrapolates or estimator.draws() or race.k >= game.units:
        return None
    drawn = {removed: values[order] for removed, values in scores.items()}
    return race.look(race_contributions(game, drawn, lambda coalitions: _reached(drawn, coalitions)))


def stored_costs(units: Grouping, scores: Scores, order: NDArray[np.intp], race: CostRace) -> CostVerdicts:
    """Return the verdicts on what each unit costs that is removed alone.

    Args:
        units: the units.
        scores: as for ``stored_verdicts``.
        order: the same.
        race: compares the costs.
    """
    drawn = {removed: values[order] for removed, values in scores.items()}
    return race.look(race_contributions(single_drops(units), drawn, lambda coalitions: _reached(drawn, coalitions)))


def single_drops(units: Grouping) -> Game:
    """Return the game in which a unit is worth what is lost without it alone."""
    return Game(units, LeaveOneOut())


def removes_singly(estimator: Estimator) -> bool:
    """Return whether it compares the intact model with each unit removed alone, and reads nothing else of a unit."""
    return set(estimator.needs(1, 3) or ()) == {INTACT, (1,)}


def race_contributions(game: Game, scores: Scores, reached: Reached) -> FloatArray:
    """Return the contributions of units, shape (units, documents), NaN where a unit lacks a document.

    A verdict holds for documents in random order, and later documents that another run stored were not drawn at
    random. So a unit's documents end before the first that lacks one of its coalitions.

    Args:
        game: the units, and the estimator of their values, whose coalitions are not drawn.
        scores: values by removed units of documents in the order of their draw, NaN where there is none.
        reached: tells how far coalitions were evaluated.
    """
    estimator, units = game.estimator, game.units
    wanted = estimator.coalitions(units)
    if estimator.needs(0, units) is None:
        some = {removed: values[: reached(wanted)] for removed, values in scores.items()}
        outcomes, absent = game.read_complete(some)
        if absent or not outcomes:
            return np.empty((units, 0))
        return estimator.contributions(outcomes, units)
    nothing = np.full(len(next(iter(scores.values()), ())), np.nan)
    found = estimator.contributions({removed: scores.get(removed, nothing) for removed in wanted}, units)
    for unit in range(units):
        found[unit, reached(estimator.needs(unit, units) or ()) :] = np.nan
    return found


def _reached(scores: Scores, coalitions: Sequence[Removed]) -> int:
    """Return how many documents, from the first on, have a value under all of some coalitions."""
    if any(removed not in scores for removed in coalitions):
        return 0
    lacks = np.logical_or.reduce([np.isnan(scores[removed]) for removed in coalitions])
    return int(lacks.argmax()) if lacks.any() else len(lacks)
