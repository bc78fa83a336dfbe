"""Contributions by one value of a group of results, on the documents that have all coalitions of an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.coalitions.players import Removed
from core.estimators.question import Game
from core.estimators.sizes import unit_sizes
from core.statistics.intervals import FloatArray, without_rounding
from core.summaries.summarize import are_complete
from store.reading.pooled import Values


@dataclass(frozen=True, slots=True)
class Contributions:
    """The contributions by one value on the documents that have all coalitions.

    Attributes:
        places: which documents these are, sorted, shape (documents,).
        each: the contributions, shape (units, documents).
        sizes: those of the values that they are differences of, shape (units,).
    """

    places: NDArray[np.int64]
    each: FloatArray
    sizes: FloatArray

    @classmethod
    def of(cls, values: Values, game: Game) -> Contributions:
        """Read them from values that have every coalition on some document, or on none.

        Raises:
            TooLargeError: a perplexity is.
        """
        wanted = game.estimator.coalitions(game.units)
        there = complete(values, wanted)
        if values.places is None or not there.any():
            return cls(np.empty(0, dtype=np.int64), np.empty((game.units, 0)), np.zeros(game.units))
        outcomes = {removed: values.scores[removed][there] for removed in wanted}
        if values.ratio is not None:
            outcomes = {removed: values.ratio.at(there).linear(one) for removed, one in outcomes.items()}
        sizes = unit_sizes(game.estimator, outcomes, game.units, values.ratio)
        each = without_rounding(game.estimator.contributions(outcomes, game.units), sizes[:, None])
        return cls(values.places[there], each, sizes)

    def on(self, places: NDArray[np.int64]) -> FloatArray:
        """Return the contributions on some of the documents."""
        return self.each[:, np.isin(self.places, places)]


def complete(values: Values, wanted: Sequence[Removed]) -> NDArray[np.bool_]:
    """Return which documents have all coalitions, shape (documents,)."""
    if any(removed not in values.scores for removed in wanted):
        return np.zeros(len(values.choices), dtype=np.bool_)
    return are_complete(values.scores, wanted)
