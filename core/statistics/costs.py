"""A verdict on each unit: whether its mean contribution is above a number, the cost asked about, or below it.

A unit is decided once that is proven, and stays so. Units are judged each by itself. With probability alpha / (2 N) of
a wrong claim to one side for each of N units, all verdicts together err with probability alpha at most, at all looks
together. That holds too where units cost exactly as much as was asked about, of which nothing may be claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.statistics.evidence import ROUNDING, Bets, Claims, evidence_against
from core.statistics.intervals import CONFIDENCE, FloatArray
from core.statistics.verdicts import FORESEEN_FROM, FURTHEST, first_enough, next_look

CostStanding = Literal["above", "below", "open"]

_SIDES: Final[tuple[CostStanding, ...]] = ("above", "below")


@dataclass(frozen=True, slots=True)
class CostVerdicts:
    """The verdicts on all units: which of them cost more than ``cost``, and which less.

    Attributes:
        cost: the number that contributions are compared with.
        confidence: the probability that no verdict is ever wrong.
        standings: by unit, whether its mean contribution is above the cost, below it, or open.
        documents: by unit, how many documents it has; a decided one, how many had decided it.
        means: by unit, its mean contribution over all its documents; NaN if it has none.
        more_documents: an estimate of how many more documents decide every unit, if they say the same as these. It is 0
            if all is decided, and None if no end is in sight.
    """

    cost: float
    confidence: float
    standings: tuple[CostStanding, ...]
    documents: tuple[int, ...]
    means: tuple[float, ...]
    more_documents: int | None

    def units(self, standing: CostStanding) -> tuple[int, ...]:
        """Return the units of a standing, in order of their numbers."""
        return tuple(unit for unit, each in enumerate(self.standings) if each == standing)

    @property
    def decided(self) -> bool:
        return "open" not in self.standings


@dataclass(frozen=True, slots=True)
class CostRace:
    """Compares units with a number as documents arrive. Documents must come in random order: the first stand for all.

    It looks after certain numbers of documents of a unit (``next_look``), so the verdicts follow from the documents,
    however many arrive at once.

    Attributes:
        cost: the number, nearer to 0 than ``span``.
        confidence: the probability that no verdict is ever wrong.
        span: no contribution is further from 0 than this; None if it may be.
    """

    cost: float
    confidence: float = CONFIDENCE
    span: float | None = None

    def __post_init__(self) -> None:
        if self.span is not None and abs(self.cost) >= self.span:
            raise ValueError(f"no contribution is beyond {self.span}, so none is compared with {self.cost}")

    def look(self, contributions: FloatArray) -> CostVerdicts:
        """Return the verdicts after these documents.

        Args:
            contributions: shape (units, documents), NaN where a unit lacks a document, or where it has no value.
        """
        there = ~np.isnan(contributions)
        counts = there.sum(axis=1)
        standings: list[CostStanding] = ["open"] * len(contributions)
        documents = [int(count) for count in counts]
        for some in _alike(there):
            for at, standing, look in self._decided(contributions[some][:, there[some[0]]], len(contributions)):
                standings[some[at]], documents[some[at]] = standing, look
        unsettled = [unit for unit, standing in enumerate(standings) if standing == "open"]
        sums = np.nansum(contributions, axis=1)
        return CostVerdicts(
            cost=self.cost,
            confidence=self.confidence,
            standings=tuple(standings),
            documents=tuple(documents),
            means=tuple(np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0).tolist()),
            more_documents=self._more(contributions[unsettled], len(contributions)) if unsettled else 0,
        )

    def _alpha(self, units: int) -> float:
        return (1 - self.confidence) / (2 * units)

    def _decided(self, own: FloatArray, units: int) -> Iterator[tuple[int, CostStanding, int]]:
        """Yield the rows that are decided, with what is decided and after how many documents.

        Args:
            own: contributions of some units on documents that all of these have.
            units: the number of all units.
        """
        unsettled = np.ones(len(own), dtype=np.bool_)
        seen, bets = 0, None
        while (look := next_look(seen)) <= own.shape[1] and unsettled.any():
            bets = self._bets(own[:, seen:look], units, bets)
            claims = self._claims(own[:, :look], np.flatnonzero(unsettled), units, bets)
            for side, standing in enumerate(_SIDES):
                for at in np.flatnonzero(claims[side]):
                    yield int(at), standing, look
            unsettled &= ~claims.any(axis=0)
            seen = look

    def _bets(self, new: FloatArray, units: int, before: Bets | None) -> Bets | None:
        """Return the bets on all documents so far, of which some are new; None without a span."""
        if self.span is None:
            return None
        found = Bets.of_number(np.clip(new, -self.span, self.span), self.cost, self._alpha(units), self.span)
        return found if before is None else before.with_more(found)

    def _claims(self, seen: FloatArray, unsettled: NDArray[np.intp], units: int, bets: Bets | None) -> Claims:
        """Return what is claimed of open units. Where one was beyond the span, nothing of it relies on that."""
        claims = np.zeros((2, len(seen)), dtype=np.bool_)
        free = unsettled
        if self.span is not None and bets is not None:
            within = np.abs(seen[unsettled]).max(axis=1) <= self.span * (1 + ROUNDING)
            bounded, free = unsettled[within], unsettled[~within]
            claims[:, bounded] = bets.claims(seen.shape[1])[:, bounded]
        if free.size:
            found = evidence_against(seen[free], self.cost, self._alpha(units), None)
            claims[:, free] = found.claims(seen.shape[1])
        return claims

    def _more(self, contributions: FloatArray, units: int) -> int | None:
        """Return how many more documents would decide these units, which are open."""
        common = contributions[:, ~np.isnan(contributions).any(axis=0)]
        documents: int = common.shape[1]
        if documents < FORESEEN_FROM:
            return None
        span = self.span
        if span is not None and np.abs(common).max() > span * (1 + ROUNDING):
            span = None
        found = evidence_against(common, self.cost, self._alpha(units), span)
        enough = first_enough(
            lambda number: bool(found.claims(number).any(axis=0).all()), documents, documents * FURTHEST
        )
        return None if enough is None else next_look(enough - 1) - documents


def _alike(there: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Yield the units that have the same documents, together."""
    _, kinds = np.unique(there, axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    for kind in range(kinds.max(initial=-1) + 1):
        yield np.flatnonzero(kinds == kind)
