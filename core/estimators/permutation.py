"""Permutation sampling: random orders of removal, walked from the intact model until its score is lost.

Each unit's marginal contribution in a uniformly random order is unbiased for its Shapley value (Castro, Gomez, Tejada
2009, "Polynomial calculation of the Shapley value based on sampling"). Leaving off a walk once the rest cannot matter
is the idea of truncated Monte Carlo (Ghorbani, Zou 2019, "Data Shapley", TMC-Shapley). They add to the empty set and
stop near the whole; here the walk starts at the whole, where the model works, and stops near the empty set, because a
language model falls to chance after a few removals and every coalition beyond says the same.

Orders come in antithetic pairs, each with its reverse: who goes early in one goes late in the other, so a pair varies
less than two independent orders (Mitchell et al. 2022, "Sampling permutations for Shapley value estimation").
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from core.coalitions.players import Removed, removed_set
from core.coalitions.schedules import INTACT
from core.estimators.estimator import Estimator, Outcomes, require
from core.estimators.setting import Setting, in_digits
from core.statistics.intervals import FloatArray

_FEWEST = 8
_MOST = 20_000
_AHEAD = 4

Order = tuple[int, ...]

Seed = Annotated[int, Setting("Seed of the random orders of permutation", "seed", -(2**63), 2**63 - 1)]
"""The seed of a run, as every estimator with a field ``seed`` must declare it."""


@dataclass(frozen=True, slots=True)
class Permutation(Estimator):
    """The mean over ``permutations`` walks of v(before a unit is removed) - v(after).

    A walk ends once |mean v - mean v(everything removed)| <= ``tolerance``, in the value's own units. Units
    that are left by then contribute 0. So the values add up to v(N) - v(nothing) within ``tolerance``. Which coalitions
    a walk needs depends on the documents: more of them may move its end.

    Attributes:
        permutations: walks, an even number: the second of each pair is the first's reverse. Four pairs at least, to
            tell how pairs differ.
        seed: the seed of the orders. More walks with the same seed begin with the same ones.
        tolerance: the distance of the two means at which a walk ends; with 0 they must be equal.
    """

    permutations: Annotated[
        int,
        Setting(
            f"How many walks permutation makes, an even number of at least {_FEWEST}",
            "walks",
            _FEWEST,
            multiple_of=2,
            computable=_MOST,
        ),
    ] = 20
    seed: Seed = 0
    tolerance: Annotated[
        float,
        Setting("Stop a walk when its score is this close to the score with all layers removed", "tolerance", 0),
    ] = 0.02
    name: ClassVar[str] = "permutation"
    summary: ClassVar[str] = "random orders, walked until there is nothing left to lose"
    schedule: ClassVar[str] = "permutation"
    in_rounds: ClassVar[bool] = True

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        """List the two ends, and the next few removals of each unfinished walk, so that a sweep has a batch."""
        everything = tuple(range(units))
        wanted = [removed for removed in (INTACT, everything) if removed not in outcomes]
        means = {removed: float(np.mean(values)) for removed, values in outcomes.items()}
        for order in self._orders(units):
            length, ended = self._length(order, means)
            if not ended:
                ahead = range(length, min(length + _AHEAD, units))
                wanted += [removed for removed in map(_after(order), ahead) if removed not in outcomes]
        return list(dict.fromkeys(wanted))

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        require(self, outcomes, units)
        found = np.zeros((units, len(outcomes[INTACT])))
        for pair in self._pairs(outcomes, units):
            found += pair
        return found / (self.permutations // 2)

    def sampling_noise(self, outcomes: Outcomes, units: int) -> FloatArray:
        """Return the deviations of the pairs' means, without the part that comes from the documents.

        Pairs and documents are crossed: with c = mu + pair + document + rest, the variance of the pairs' means holds
        var(rest) / documents, which the documents' own variance holds already. That part is taken off by its estimate,
        where a bootstrap of both (Owen 2007, "The pigeonhole bootstrap") would count it thrice.
        """
        require(self, outcomes, units)
        pairs, documents = self.permutations // 2, len(outcomes[INTACT])
        means = np.empty((pairs, units))
        total, squares = np.zeros((units, documents)), np.zeros(units)
        for at, pair in enumerate(self._pairs(outcomes, units)):
            means[at] = pair.mean(axis=1)
            total += pair
            squares += (pair**2).sum(axis=1)
        centre = means.mean(axis=0)
        deviations: FloatArray = means - centre
        if documents < 2:
            return deviations
        between_pairs = (deviations**2).sum(axis=0)
        between_documents = ((total / pairs - centre[:, None]) ** 2).sum(axis=1)
        rest = squares - pairs * documents * centre**2 - documents * between_pairs - pairs * between_documents
        own = 1 - np.divide(
            rest / (documents * (documents - 1)), between_pairs, out=np.ones(units), where=between_pairs > 0
        )
        return np.asarray(deviations * np.sqrt(np.clip(own, 0, 1)), dtype=np.float64)

    def most_coalitions(self, units: int) -> int:
        walked = 2 + self.permutations * (units - 1)
        return walked if units >= walked.bit_length() else min(2**units, walked)

    def smaller(self) -> tuple[Self, ...]:
        counts = range(self.permutations - 2, _FEWEST - 1, -2)
        return tuple(replace(self, permutations=count) for count in counts)

    @property
    def extent(self) -> str:
        return f"of {self.permutations} walks"

    def in_words(self) -> tuple[str, ...]:
        return f"{self.permutations} walks", f"seed {self.seed}", f"tolerance {in_digits(self.tolerance)}"

    def described(self) -> str:
        walks, *rest = self.in_words()
        return f"{walks} of permutation ({', '.join(rest)})"

    def _orders(self, units: int) -> Iterator[Order]:
        """Yield the orders. Units are sorted by random numbers, as only these stay the same in later Pythons."""
        generator = random.Random(self.seed)
        for _ in range(self.permutations // 2):
            order = tuple(sorted(range(units), key=lambda _: generator.random()))
            yield order
            yield order[::-1]

    def _length(self, order: Order, means: dict[Removed, float]) -> tuple[int, bool]:
        """Return after how many removals a walk ends, or how far it is known, and whether it ends there."""
        units = len(order)
        bottom = means.get(tuple(range(units)))
        after = _after(order)
        for length in range(units):
            mean = means.get(after(length))
            if mean is None:
                return length, False
            if bottom is not None and abs(mean - bottom) <= self.tolerance:
                return length, True
        return units, bottom is not None

    def _pairs(self, outcomes: Outcomes, units: int) -> Iterator[FloatArray]:
        """Yield the mean contributions of each pair of walks, shape (units, documents)."""
        means = {removed: float(np.mean(values)) for removed, values in outcomes.items()}
        orders = self._orders(units)
        for there, back in zip(orders, orders, strict=True):
            found = np.zeros((units, len(outcomes[INTACT])))
            for order in (there, back):
                after = _after(order)
                for step in range(self._length(order, means)[0]):
                    found[order[step]] += outcomes[after(step)] - outcomes[after(step + 1)]
            yield found / 2


def _after(order: Order) -> Callable[[int], Removed]:
    """Return the coalition after a number of removals in this order."""
    return lambda length: removed_set(order[:length])
