"""Games whose values are known, to hold estimators against: drawn documents, and the textbook's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.coalitions.players import Removed

Value = Callable[[Removed], float]


@dataclass(frozen=True)
class NoisyGame:
    """A model right on a document with a probability that falls from ``intact`` to ``chance`` as units are removed.

    What units take away adds up in the exponent, so the first removals cost most, as they do in a language model. A
    document keeps its luck from coalition to coalition with probability ``alike``: then it is right under both or not
    as their rates are.
    """

    damage: tuple[float, ...]
    intact: float = 0.9
    chance: float = 0.25
    alike: float = 0.8

    def rate(self, removed: Removed) -> float:
        return self.chance + (self.intact - self.chance) * float(np.exp(-sum(self.damage[unit] for unit in removed)))

    def rates(self, coalitions: Sequence[Removed]) -> dict[Removed, np.ndarray]:
        """Return the true value of each coalition, in an array of one document."""
        return {removed: np.array([self.rate(removed)]) for removed in coalitions}

    def play(
        self, coalitions: Sequence[Removed], shape: tuple[int, ...], rng: np.random.Generator
    ) -> dict[Removed, np.ndarray]:
        """Draw outcomes 0 or 1 of each coalition in the given shape, whose last axis is documents."""
        luck = rng.random(shape)
        return {
            removed: (np.where(rng.random(shape) < self.alike, luck, rng.random(shape)) < self.rate(removed)) * 1.0
            for removed in coalitions
        }


def everything(units: int) -> list[Removed]:
    return [removed for size in range(units + 1) for removed in combinations(range(units), size)]


def outcomes_of(value: Value, coalitions: Sequence[Removed]) -> dict[Removed, np.ndarray]:
    """Return the value of each coalition, the same on two documents."""
    return {removed: np.full(2, value(removed)) for removed in coalitions}


def additive(worth: Sequence[float]) -> Value:
    """Each unit is worth the same whatever else is there."""
    return lambda removed: sum(w for unit, w in enumerate(worth) if unit not in removed)


def unanimity(team: frozenset[int]) -> Value:
    """1 if the whole team is there: the members share it alike, others get nothing."""
    return lambda removed: float(not team.intersection(removed))


def glove(left: int, units: int) -> Value:
    """The first ``left`` units have a left glove, the others a right one; a pair is worth 1."""

    def value(removed: Removed) -> float:
        kept = [unit for unit in range(units) if unit not in removed]
        lefts = sum(unit < left for unit in kept)
        return float(min(lefts, len(kept) - lefts))

    return value


def airport(costs: Sequence[float], units: int) -> Value:
    """A runway as long as the largest aeroplane there needs (Littlechild and Owen 1973)."""
    return lambda removed: max((costs[unit] for unit in range(units) if unit not in removed), default=0.0)
