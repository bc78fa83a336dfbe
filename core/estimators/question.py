"""Questions and games: the units, and the estimator of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import SUBLAYERS, Grouping, grouping, grouping_name
from core.coalitions.players import Player, Removed
from core.estimators.estimator import Estimator, Outcomes
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio

Scores = Mapping[Removed, FloatArray]
"""Values by removed set: arrays of shape (documents,) of the same documents, NaN if one was not evaluated."""

Read = tuple[dict[Removed, FloatArray], list[Removed]]
"""The outcomes that an estimate reads, and the coalitions that it lacks."""


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

    def read(self, outcomes: Outcomes, ratio: Ratio | None = None) -> Read:
        """Return the outcomes that the estimate reads, and the coalitions of units that it lacks next.

        An estimator in rounds names only those of its next round.

        Args:
            outcomes: values by removed units, each of the same documents.
            ratio: how these documents make a value of their corpus; what is read is then ``Ratio.linear``.

        Raises:
            CornerstoneError: there is no such estimate for this number of units.
            TooLargeError: the value of a coalition that the estimate reads is.
        """
        return self._read(outcomes, (lambda values: values) if ratio is None else ratio.linear)

    def _read(self, outcomes: Outcomes, made: Callable[[FloatArray], FloatArray]) -> Read:
        """Return ``read`` of what is made of outcomes; nothing is made of those that the estimate does not read."""
        known: dict[Removed, FloatArray] = {}
        while wanted := self.estimator.missing(known, self.units):
            known |= {removed: made(outcomes[removed]) for removed in wanted if removed in outcomes}
            if lacking := [removed for removed in wanted if removed not in known]:
                return known, lacking
        return known, []

    def read_complete(self, scores: Scores, ratio: Ratio | None = None) -> Read:
        """Return ``read`` over the documents that have every coalition; no outcomes if no document has them all.

        Args:
            scores: values by removed units, NaN if a document was not evaluated.
            ratio: how the documents make a value of their corpus; outcomes are then ``Ratio.linear``.

        Raises:
            TooLargeError: the value of a coalition that the estimate reads is.
        """
        known, absent, _ = self._complete(scores, ratio)
        return known, absent

    def read_ratio(self, scores: Scores, ratio: Ratio) -> tuple[Read, Ratio]:
        """Return ``read_complete``, and the ratio of the documents that it is of; it raises the same."""
        known, absent, there = self._complete(scores, ratio)
        return (known, absent), ratio.at(there)

    def _complete(
        self, scores: Scores, ratio: Ratio | None
    ) -> tuple[dict[Removed, FloatArray], list[Removed], NDArray[np.bool_]]:
        there = np.ones(len(next(iter(scores.values()), ())), dtype=np.bool_)
        absent: list[Removed] = []
        while there.any():
            outcomes = {removed: values[there] for removed, values in scores.items()}
            complete = {r: values for r, values in outcomes.items() if not np.isnan(values).any()}
            known, lacking = self.read(complete, None if ratio is None else ratio.at(there))
            absent = [removed for removed in lacking if removed not in outcomes]
            partly = [outcomes[removed] for removed in lacking if removed in outcomes]
            if not partly:
                return known, absent, there
            there[there] = ~np.isnan(partly).any(axis=0)
        return {}, absent, there

    def read_most(self, scores: Scores, ratio: Ratio | None) -> tuple[Read, Ratio | None]:
        """Return ``read_ratio`` where documents make a value of their corpus, else ``read_each``."""
        return (self.read_each(scores), None) if ratio is None else self.read_ratio(scores, ratio)

    def read_each(self, scores: Scores) -> Read:
        """Return ``read_complete``, and the further documents that at least two units have a contribution on.

        The values of those are NaN under coalitions that they were not evaluated under.
        """
        outcomes, absent = self.read_complete(scores)
        if absent or not outcomes or self.estimator.needs(0, self.units) is None:
            return outcomes, absent
        wanted = {removed: scores[removed] for removed in outcomes}
        there = ~np.isnan(self.estimator.contributions(wanted, self.units))
        compared = there.sum(axis=0) >= min(2, self.units)
        return {removed: values[compared] for removed, values in wanted.items()}, []


def units_of(grouping: Grouping, removed: Removed) -> Removed | None:
    """Return the units that these players make up; None if a unit is removed in part."""
    players = frozenset(removed)
    units = tuple(at for at, unit in enumerate(grouping.units) if unit.members[0] in players)
    return units if grouping.removed(units) == removed else None
