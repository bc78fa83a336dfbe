"""Questions and games: the units, and the estimator of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.coalitions.grouping import SUBLAYERS, Grouping, grouping, grouping_name
from core.coalitions.players import Player, Removed
from core.estimators.estimator import Estimator, Outcomes
from core.statistics.intervals import FloatArray

Scores = Mapping[Removed, FloatArray]
"""Values by removed set: arrays of shape (documents,) of the same documents, NaN if one was not evaluated."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question for Shapley values: an estimator with its settings, and the grouping whose units share the value.

    Commands, runs and readings with the same question use the same coalitions.

    Attributes:
        estimator: the estimator with its settings.
        players: the name of a grouping.
    """

    estimator: Estimator
    players: str = SUBLAYERS

    def __post_init__(self) -> None:
        """Refuse a grouping that does not exist.

        Raises:
            CornerstoneError: there is none of that name.
        """
        grouping_name(self.players)

    def of(self, players: Sequence[Player]) -> Game:
        """Return the game of a model with these players."""
        return Game(grouping(self.players, players), self.estimator)

    @property
    def described(self) -> str:
        """The coalitions of the estimate in words; other units than single sublayers are named too."""
        what = self.estimator.described()
        return what if self.players == SUBLAYERS else f"{what} of {self.players}"


@dataclass(frozen=True, slots=True)
class Game:
    """Units of players, and the estimator of their values. It translates coalitions of units and of players."""

    grouping: Grouping
    estimator: Estimator

    @property
    def units(self) -> int:
        return len(self.grouping.units)

    def by_units(self, scores: Scores) -> Scores:
        """Return values by removed units from values by removed players. Coalitions that split a unit are left out."""
        found = ((units_of(self.grouping, removed), values) for removed, values in scores.items())
        return {units: values for units, values in found if units is not None}

    def read(self, outcomes: Outcomes) -> tuple[dict[Removed, FloatArray], list[Removed]]:
        """Return the outcomes that the estimate reads, and the coalitions of units that it lacks next.

        An estimator in rounds names only those of its next round.

        Raises:
            CornerstoneError: there is no such estimate for this number of units.
        """
        known: dict[Removed, FloatArray] = {}
        while wanted := self.estimator.missing(known, self.units):
            known |= {removed: outcomes[removed] for removed in wanted if removed in outcomes}
            if lacking := [removed for removed in wanted if removed not in known]:
                return known, lacking
        return known, []

    def read_complete(self, scores: Scores) -> tuple[dict[Removed, FloatArray], list[Removed]]:
        """Return ``read`` over the documents that have every coalition; no outcomes if no document has them all.

        Args:
            scores: values by removed units, NaN if a document was not evaluated.
        """
        there = np.ones(len(next(iter(scores.values()), ())), dtype=np.bool_)
        absent: list[Removed] = []
        while there.any():
            outcomes = {removed: values[there] for removed, values in scores.items()}
            known, lacking = self.read({r: values for r, values in outcomes.items() if not np.isnan(values).any()})
            absent = [removed for removed in lacking if removed not in outcomes]
            partly = [outcomes[removed] for removed in lacking if removed in outcomes]
            if not partly:
                return known, absent
            there[there] = ~np.isnan(partly).any(axis=0)
        return {}, absent


def units_of(grouping: Grouping, removed: Removed) -> Removed | None:
    """Return the units that these players make up; None if a unit is removed in part."""
    players = frozenset(removed)
    units = tuple(at for at, unit in enumerate(grouping.units) if unit.members[0] in players)
    return units if grouping.removed(units) == removed else None
