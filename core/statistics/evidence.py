"""Evidence that one unit's mean contribution is above another's, or a number, which holds however often one looks.

Two units are compared on the same documents, so by the differences of their contributions. The error of a claim holds
at all numbers of documents together. There are two ways.

Where contributions have known bounds, ``Bets`` plays a game against the claim's contrary: it stakes a part of its
capital on each document, and if the mean difference were not positive, the capital would reach 1 / alpha with
probability alpha at most (Ville's inequality). That holds for every distribution and every number of documents:
Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (arXiv 2010.09686), here with a
mixture over fixed stakes.

Where they have none, such as differences of log-probabilities, ``Asymptotic`` uses the one-sided Gaussian mixture of
Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (arXiv 2103.06476) with the estimated variance, and two guards that
simulations asked for (``tests/benchmarks/verdicts.py``): nothing is claimed before ``BURN_IN`` documents, and skewness
against the claim widens the bound by a multiple of the next term of Edgeworth's expansion, because few documents of a
heavy tail show too little of it. It promises nothing about an effect that no document has shown yet. Both guards are
stronger where a unit is compared with a number, since a difference of two units loses a part of their skewness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray

BURN_IN: Final = 48
"""Nothing is claimed of differences of unbounded contributions before this many documents."""

_TIGHTEST_AT: Final = 100
"""Number of documents at which asymptotic bounds are tightest; any choice keeps them valid."""

_SKEWNESS_COUNTS: Final = 2.5
"""How often the term for skewness is added: the least, in halves, that kept errors with lognormal tails below 4%."""

_BURN_IN_ALONE: Final = 96
_SKEWNESS_COUNTS_ALONE: Final = 5.0
"""The same against a number: with the guards above, 24% of games erred where units cost exactly what was asked about.
With these, 1% to 3% did, of 1, 20 and 60 units."""

ROUNDING: Final = 1e-9
"""Sums of values may be off by this part of the largest."""

_STAKES: Final = 0.98 * 0.5 ** np.arange(10)
"""The stakes of the mixture, as parts of the most that no document can lose."""

Claims = NDArray[np.bool_]
"""Whether the mean of a row's unit is above that of a column's unit, shape (rows, units).

Against a number, the rows are two: whether each unit's mean is above it, and whether it is below it.
"""


class Evidence(Protocol):
    """A comparison of some units with every unit, on the documents seen."""

    def claims(self, documents: float) -> Claims:
        """Return what is proven; for more documents than were seen, what would be if these said the same as those."""


def evidence(contributions: FloatArray, rows: NDArray[np.intp], alpha: float, limit: float | None) -> Evidence:
    """Compare units by their contributions.

    Args:
        contributions: shape (units, documents); documents in random order.
        rows: the units that are compared with every unit.
        alpha: the probability that a claim about one pair is ever wrong.
        limit: no contribution is further from 0 than this, but for rounding; None if it may be.
    """
    if limit is not None:
        return Bets.of(np.clip(contributions, -limit, limit), rows, alpha, limit)
    return Asymptotic.of(contributions, rows, alpha)


def evidence_against(contributions: FloatArray, number: float, alpha: float, limit: float | None) -> Evidence:
    """Compare each unit with a number.

    Args:
        contributions: as for ``evidence``.
        number: the number, which is nearer to 0 than ``limit``.
        alpha: the probability that a claim about one unit, to one side of the number, is ever wrong.
        limit: as for ``evidence``.
    """
    if limit is not None:
        return Bets.of_number(np.clip(contributions, -limit, limit), number, alpha, limit)
    return Asymptotic.of_number(contributions, number, alpha)


@dataclass(frozen=True, slots=True)
class Bets:
    """Evidence from bounded contributions.

    Attributes:
        documents: how many were seen.
        alpha: the probability that a claim about one pair is ever wrong.
        capital: natural logarithm of the capital by stake, shape (stakes, rows, units), from 0.
    """

    documents: int
    alpha: float
    capital: FloatArray

    @classmethod
    def of(cls, contributions: FloatArray, rows: NDArray[np.intp], alpha: float, limit: float) -> Bets:
        """Bet on each row's unit against every unit; a difference is between -2 and 2 limits."""
        units, documents = contributions.shape
        capital = np.empty((len(_STAKES), len(rows), units))
        for row, unit in enumerate(rows):
            capital[:, row] = _won(contributions[unit] - contributions, 2 * limit)
        return cls(documents, alpha, capital)

    @classmethod
    def of_number(cls, contributions: FloatArray, number: float, alpha: float, limit: float) -> Bets:
        """Bet on each unit against a number, and on the number against each unit."""
        above = _won(contributions - number, limit + number)
        below = _won(number - contributions, limit - number)
        return cls(contributions.shape[1], alpha, np.stack([above, below], axis=1))

    def with_more(self, other: Bets) -> Bets:
        """Return the evidence of these documents and of others, about the same."""
        return Bets(self.documents + other.documents, self.alpha, self.capital + other.capital)

    def claims(self, documents: float) -> Claims:
        capital = self.capital * (documents / self.documents)
        most = capital.max(axis=0)
        mixed = most + np.log(np.exp(capital - most).mean(axis=0))
        return np.asarray(mixed > -math.log(self.alpha))


@dataclass(frozen=True, slots=True)
class Asymptotic:
    """Evidence from contributions without known bounds. Arrays have shape (rows, units).

    Attributes:
        documents: how many were seen.
        alpha: the probability that a claim about one pair is ever wrong.
        mean: the mean difference.
        variance: the mean square of the deviations from it.
        against: the skewness against the claim, at least 0.
        rounding: a number; a difference of this size is none.
        burn_in: nothing is claimed before this many documents.
        skewness_counts: how often the term for skewness is added.
    """

    documents: int
    alpha: float
    mean: FloatArray
    variance: FloatArray
    against: FloatArray
    rounding: float
    burn_in: int = BURN_IN
    skewness_counts: float = _SKEWNESS_COUNTS

    @classmethod
    def of(cls, contributions: FloatArray, rows: NDArray[np.intp], alpha: float) -> Asymptotic:
        """Sum up the differences of each row's unit and every unit."""
        units, documents = contributions.shape
        moments = np.empty((3, len(rows), units))
        for row, unit in enumerate(rows):
            moments[:, row] = _moments(contributions[unit] - contributions)
        return cls._of_moments(documents, alpha, moments, _rounding(contributions))

    @classmethod
    def of_number(cls, contributions: FloatArray, number: float, alpha: float) -> Asymptotic:
        """Sum up the differences of each unit and a number, to both sides."""
        mean, variance, cubes = _moments(contributions - number)
        moments = np.array([[mean, -mean], [variance, variance], [cubes, -cubes]])
        found = cls._of_moments(contributions.shape[1], alpha, moments, _rounding(contributions))
        return replace(found, burn_in=_BURN_IN_ALONE, skewness_counts=_SKEWNESS_COUNTS_ALONE)

    @classmethod
    def _of_moments(cls, documents: int, alpha: float, moments: FloatArray, rounding: float) -> Asymptotic:
        mean, variance, cubes = moments
        varies = variance > rounding**2
        against = np.maximum(-cubes / np.where(varies, variance, 1.0) ** 1.5, 0.0)
        return cls(documents, alpha, mean, variance, np.where(varies, against, 0.0), rounding)

    def claims(self, documents: float) -> Claims:
        if documents < self.burn_in:
            return np.zeros(self.mean.shape, dtype=np.bool_)
        error = np.sqrt(self.variance / documents)
        reach = _reach(documents, self.alpha)
        skewed = self.against * (2 * reach**2 + 1) / (6 * math.sqrt(documents))
        clear = (self.mean > self.rounding) & (self.variance > self.rounding**2)
        return np.asarray(clear & (self.mean > error * (reach + self.skewness_counts * skewed)))


def _won(differences: FloatArray, most: float) -> FloatArray:
    """Return what each stake wins, shape (stakes, units), where no document loses more than ``most``."""
    return np.stack([np.log1p(stake * differences).sum(axis=1) for stake in _STAKES / most])


def _moments(differences: FloatArray) -> FloatArray:
    """Return the mean over documents, and the mean square and cube of the deviations from it, shape (3, units)."""
    mean = differences.mean(axis=1)
    deviations = differences - mean[:, None]
    squares = deviations**2
    return np.stack([mean, squares.mean(axis=1), (squares * deviations).mean(axis=1)])


def _rounding(contributions: FloatArray) -> float:
    return ROUNDING * max(1.0, float(np.abs(contributions).max(initial=0.0)))


def _reach(documents: float, alpha: float) -> float:
    """Return by how many standard errors a mean may be off to one side, at all numbers of documents together."""
    rho2 = (-2 * math.log(2 * alpha) + math.log(1 - 2 * math.log(2 * alpha))) / _TIGHTEST_AT
    spread = documents * rho2 + 1
    return math.sqrt(2 * spread / (documents * rho2) * math.log(1 + math.sqrt(spread) / (2 * alpha)))
