"""A verdict on each unit: whether it is one of the k largest, valid however often one looks.

A unit is in once it is proven to be above enough others, and out once enough others are proven to be above it. What is
decided stays decided, and the open units go on for the open places, without further documents for the others.

A verdict errs only if a unit that is not of the true top is proven to be above one that is. A true top of k among N
makes k (N - k) such pairs. With probability alpha / (k (N - k)) of a wrong claim for each pair, all verdicts together
err with probability alpha at most, whichever top is the true one, and at all looks together. Where units tie for the
last place, each of them may be taken for a true one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.statistics.evidence import ROUNDING, Evidence, evidence
from core.statistics.intervals import CONFIDENCE, FloatArray

Standing = Literal["in", "out", "open"]

TOP: Final = 3
"""How many of the largest units are decided on where nothing else is asked for: as many as the paper names."""

_RIVALS: Final = 8
"""How many units are compared with all others, besides one for each open place. They are those of the largest means."""

FORESEEN_FROM: Final = 8
"""Fewer documents say nothing about those to come."""

FURTHEST: Final = 100
"""No forecast of the remaining documents goes beyond this many times their present number."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts on all units: which of them are the ``k`` largest.

    Attributes:
        k: how many units form the top.
        confidence: the probability that no verdict is ever wrong.
        standings: by unit, whether it is in the top, out of it, or open.
        documents: by unit, how many documents it has; a decided one, how many had decided it.
        leaders: the k units that the top would have now, decided ones first, then by their means.
        more_documents: an estimate of how many more documents decide every unit, if they say the same as these. It is 0
            if all is decided, and None if no end is in sight, as units tie, or nearly, or have few documents.
    """

    k: int
    confidence: float
    standings: tuple[Standing, ...]
    documents: tuple[int, ...]
    leaders: tuple[int, ...]
    more_documents: int | None

    def units(self, standing: Standing) -> tuple[int, ...]:
        """Return the units of a standing, in order of their numbers."""
        return tuple(unit for unit, each in enumerate(self.standings) if each == standing)

    @property
    def decided(self) -> bool:
        return "open" not in self.standings


@dataclass(slots=True)
class Race:
    """Finds the k largest units as documents arrive. Documents must come in random order: the first stand for all.

    It looks after certain numbers of documents (``next_look``), and each look reads the documents up to there alone. So
    the verdicts follow from the documents, however many arrive at once, and outcomes that were stored tell the same.

    Attributes:
        k: how many units form the top.
        confidence: the probability that no verdict is ever wrong.
        span: no contribution is further from 0 than this; None if it may be.
    """

    k: int
    confidence: float = CONFIDENCE
    span: float | None = None
    _looked: _Looked = field(init=False)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"need a top of at least one unit, got {self.k}")
        self._looked = _Looked(0, self.k, 1 - self.confidence, self.span)

    def look(self, contributions: FloatArray) -> Verdicts:
        """Return the verdicts after these documents, which include all that were looked at before.

        Args:
            contributions: shape (units, documents), NaN where a unit lacks a document: those after its last, or those
                that have no value. Units with fewer documents race as far as those go.
        """
        contributions = contributions[:, ~np.isnan(contributions).all(axis=0)]
        there = ~np.isnan(contributions)
        ends = (there * np.arange(1, there.shape[1] + 1)).max(axis=1, initial=0)
        if not self._looked.saw(contributions):
            self._looked = _Looked(len(ends), self.k, 1 - self.confidence, self.span)
        self._looked.go_on(contributions, ends)
        return self._looked.verdicts(contributions, there)


def next_look(documents: int) -> int:
    """Return the number of documents at the next look: every 8th, from 128 on every 16th, from 256 on every 32nd, …."""
    step = 8
    while documents >= 16 * step:
        step *= 2
    return (documents // step + 1) * step


def first_enough(suffice: Callable[[float], bool], low: int, high: int) -> int | None:
    """Return the least number above ``low``, up to ``high``, that suffices; None if ``high`` does not."""
    if not suffice(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if suffice(middle):
            high = middle
        else:
            low = middle
    return high


@dataclass(slots=True)
class _Looked:
    """Keeps the decisions of the looks so far, and the documents that they read."""

    units: int
    k: int
    alpha: float
    span: float | None
    documents: int = 0
    _above: NDArray[np.bool_] = field(init=False)
    _standings: list[Standing] = field(init=False)
    _seen: FloatArray = field(init=False)
    _decided_at: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._above = np.zeros((self.units, self.units), dtype=np.bool_)
        self._standings = ["open"] * self.units
        self._seen = np.empty((self.units, 0))
        self._settle(0)

    def saw(self, contributions: FloatArray) -> bool:
        """Return whether the looks so far were at these contributions."""
        return np.array_equal(contributions[:, : self.documents], self._seen, equal_nan=True)

    def go_on(self, contributions: FloatArray, ends: NDArray[np.intp]) -> None:
        """Look at further documents, as far as open units have any."""
        while (look := next_look(self.documents)) <= max((ends[unit] for unit in self._open), default=0):
            racing = np.array([unit for unit in self._open if ends[unit] >= look], dtype=np.intp)
            seen = contributions[racing, :look]
            seen = seen[:, ~np.isnan(seen).any(axis=0)]
            if self.span is not None and np.abs(seen).max(initial=0.0) > self.span * (1 + ROUNDING):
                self.span = None  # it is no bound, so from now on nothing relies on it
            if seen.size:
                self._compare(seen, racing)
            self.documents = look
            self._settle(look)
        self._seen = contributions[:, : self.documents].copy()

    def verdicts(self, contributions: FloatArray, there: NDArray[np.bool_]) -> Verdicts:
        """Return what is decided; the leaders among open units and the forecast are by all documents."""
        counts = there.sum(axis=1)
        means = np.where(counts > 0, np.nansum(contributions, axis=1) / np.maximum(counts, 1), -np.inf)
        leaders = sorted(self._of("in", "open"), key=lambda unit: (self._standings[unit] != "in", -means[unit], unit))[
            : self.k
        ]
        return Verdicts(
            k=self.k,
            confidence=1 - self.alpha,
            standings=tuple(self._standings),
            documents=tuple(int(of[: self._decided_at.get(unit)].sum()) for unit, of in enumerate(there)),
            leaders=tuple(leaders),
            more_documents=self._more(contributions, there, leaders),
        )

    @property
    def _open(self) -> list[int]:
        return self._of("open")

    def _of(self, *standings: Standing) -> list[int]:
        return [unit for unit, standing in enumerate(self._standings) if standing in standings]

    @property
    def _places(self) -> int:
        """The open places of the top."""
        return self.k - len(self._of("in"))

    def _evidence(self, contributions: FloatArray, rows: NDArray[np.intp]) -> Evidence:
        pairs = self.k * (self.units - self.k)
        return evidence(contributions, rows, self.alpha / pairs, self.span)

    def _compare(self, contributions: FloatArray, racing: NDArray[np.intp]) -> None:
        """Note what some units' contributions to the same documents, shape (racing, documents), prove."""
        best = np.argsort(-contributions.mean(axis=1), kind="stable")[: self._places + _RIVALS]
        self._above[np.ix_(racing[best], racing)] |= self._evidence(contributions, best).claims(contributions.shape[1])

    def _settle(self, documents: int) -> None:
        """Decide what the claims so far decide, until they decide nothing more."""
        while settled := dict(self._settled()):
            for unit, standing in settled.items():
                self._standings[unit] = standing
                self._decided_at[unit] = documents

    def _settled(self) -> Iterator[tuple[int, Standing]]:
        unsettled, places = self._open, self._places
        claims = self._above[np.ix_(unsettled, unsettled)]
        for unit, below, above in zip(unsettled, claims.sum(axis=1), claims.sum(axis=0), strict=True):
            if below >= len(unsettled) - places:
                yield unit, "in"
            elif above >= places:
                yield unit, "out"

    def _more(self, contributions: FloatArray, there: NDArray[np.bool_], leaders: list[int]) -> int | None:
        """Return how many more documents would decide every pair of an open leader and an open unit behind."""
        unsettled = self._open
        if not unsettled:
            return 0
        common = contributions[unsettled][:, there[unsettled].all(axis=0)]
        documents: int = common.shape[1]
        if documents < FORESEEN_FROM:
            return None
        ahead = np.array([unit in leaders for unit in unsettled])
        found = self._evidence(common, np.flatnonzero(ahead))

        def suffice(number: float) -> bool:
            claims = found.claims(number) | self._above[np.ix_(unsettled, unsettled)][ahead]
            return bool(claims[:, ~ahead].all())

        enough = first_enough(suffice, documents, documents * FURTHEST)
        return None if enough is None else next_look(enough - 1) - documents
