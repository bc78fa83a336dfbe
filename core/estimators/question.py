"""A game: who the units are, what they play for, and the estimator that its schedule feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.coalitions.grouping import SUBLAYERS, Grouping, grouping, grouping_name
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from core.estimators.estimator import Estimator, Outcomes
from core.estimators.registry import estimator_named
from core.statistics.intervals import FloatArray

Scores = Mapping[Removed, FloatArray]
"""Values by removed set: arrays of shape (documents,), of the same documents, NaN where one was not evaluated."""


@dataclass(frozen=True, slots=True)
class Question:
    """What Shapley values are asked for: settings by which a command, a run and a reading mean the same.

    Attributes:
        estimator: one of ``core.estimators.registry.ESTIMATORS``.
        players: the name of a grouping.
        max_removed: the longest window, counted in units; for the window estimators.
        permutations: walks, for permutation.
        seed: of their orders.
        tolerance: at which a walk ends, in the value's own units.
    """

    estimator: str
    players: str = SUBLAYERS
    max_removed: int = DEFAULT_MAX_REMOVED
    permutations: int = DEFAULT_PERMUTATIONS
    seed: int = 0
    tolerance: float = DEFAULT_TOLERANCE

    def refuse_nonsense(self) -> None:
        """Refuse what can be told wrong without a model.

        Raises:
            CornerstoneError: there is no such estimator or grouping, or a setting makes none.
        """
        grouping_name(self.players)
        self._estimator()

    def of(self, players: Sequence[Player]) -> Game:
        """The game of a model with these players.

        Raises:
            CornerstoneError: there is no such estimator or grouping, or a setting makes none.
        """
        return Game(grouping(self.players, players), self._estimator())

    def _estimator(self) -> Estimator:
        return estimator_named(
            self.estimator,
            max_removed=self.max_removed,
            permutations=self.permutations,
            seed=self.seed,
            tolerance=self.tolerance,
        )


@dataclass(frozen=True, slots=True)
class Game:
    """Units of players, and the estimator of their values. Coalitions of units and of players are told apart here."""

    grouping: Grouping
    estimator: Estimator

    @property
    def units(self) -> int:
        return len(self.grouping.units)

    def by_units(self, scores: Scores) -> Scores:
        """What is of coalitions of players, by the units removed; without those that split a unit."""
        found = ((units_of(self.grouping, removed), values) for removed, values in scores.items())
        return {units: values for units, values in found if units is not None}

    def read(self, outcomes: Outcomes) -> tuple[dict[Removed, FloatArray], list[Removed]]:
        """What the estimate reads of ``outcomes``, and which coalitions of units are lacking next; [] for none.

        An estimator that asks in rounds names only those that it asks for after what is there.

        Raises:
            CornerstoneError: there is no such estimate of so many units.
        """
        known: dict[Removed, FloatArray] = {}
        while wanted := self.estimator.missing(known, self.units):
            known |= {removed: outcomes[removed] for removed in wanted if removed in outcomes}
            if lacking := [removed for removed in wanted if removed not in known]:
                return known, lacking
        return known, []

    def read_complete(self, scores: Scores) -> tuple[dict[Removed, FloatArray], list[Removed]]:
        """``read`` over the documents that have every coalition that is read; no outcomes where none has them all.

        Args:
            scores: by units removed, NaN where a document was not evaluated.
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
    """The units that are removed when these players are; None where one of them is removed in part."""
    players = frozenset(removed)
    units = tuple(at for at, unit in enumerate(grouping.units) if unit.members[0] in players)
    return units if grouping.removed(units) == removed else None
