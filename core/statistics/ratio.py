"""Values of a corpus that are a ratio of sums over documents, such as bits per byte and perplexity. Lower is better.

With the loss l and the weight w of each document, R = sum l / sum w, and the value is R or exp(R). Neither is a mean
over documents. Here it becomes one: where

    z = -(R + (l - R w) / mean w)      or      z = -exp(R) (1 + (l - R w) / mean w),

the mean of z over the documents is minus the value, exactly, as the residuals l - R w add up to 0. z is also what each
document does to the value, to first order (the linearization of a ratio; Cochran 1977, "Sampling Techniques", 6.3). So
whatever is a mean over documents can be made of z, and larger is better, as for every other value of a game. What is
linear in the values of coalitions, such as a Shapley value, is exact.

Intervals do not rely on the first order: they come from a bootstrap over documents, loss and weight together. A
resample with c copies of each document has, with its own sums,

    -R* = -R + sum c (z - mean z) / sum c w * mean w,

and so on for exp(R*): z and the weights are all that it needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.errors import CornerstoneError
from core.statistics.intervals import (
    CONFIDENCE,
    Drop,
    FloatArray,
    never_varies,
    unseen_half_width,
    without_rounding,
)
from core.statistics.student_t import student_half_width

DRAWS = 2000
_BLOCK = 1 << 20
"""The largest number of values of resamples in memory at a time."""
_KEPT = 1 << 22
"""The largest number of counts that are kept: those of 2 000 documents."""
_LARGEST = 1e90
"""Intervals take sums of third powers, which are too large for a number where values are larger than this."""


class TooLargeError(CornerstoneError):
    """A value is too large to calculate with, as a perplexity may be. Its logarithm is not."""

    def __init__(self, what: str) -> None:
        """Say which value is too large, and what to read in its place."""
        super().__init__(f"{what} is too large to calculate with; read bits per byte")


@dataclass(frozen=True, slots=True)
class Score:
    """The value of a corpus, lower is better, with its standard error and interval, which are None for 1 document."""

    value: float
    se: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How the losses of documents make the value of their corpus.

    Attributes:
        weights: the weight of each document, such as its bytes, shape (documents,); each is above 0.
        exponential: whether the value is exp(R), and not R.
    """

    weights: FloatArray
    exponential: bool

    def at(self, documents: NDArray[np.bool_] | NDArray[np.intp]) -> Ratio:
        """Return the same for some of the documents."""
        return replace(self, weights=self.weights[documents])

    def linear(self, gains: FloatArray) -> FloatArray:
        """Return z, whose mean over the documents is minus the value, in the shape of ``gains``.

        Args:
            gains: minus the losses, shape (..., documents); one document at least, and none is NaN.

        Raises:
            TooLargeError: the value is, or what a document does to it.
        """
        losses, mean_weight = -gains, self.weights.mean()
        rate = losses.sum(axis=-1, keepdims=True) / self.weights.sum()
        residuals = (losses - rate * self.weights) / mean_weight
        if not self.exponential:
            return np.asarray(-(rate + residuals))
        with np.errstate(over="ignore"):
            value = np.exp(rate)
            z = np.asarray(-value * (1 + residuals))
        if not (np.abs(z) <= _LARGEST).all():
            worst = float(rate[..., 0].flat[np.argmax(np.abs(z).max(axis=-1))])
            raise TooLargeError(f"a perplexity of exp({worst:.0f})")
        return z

    def drawn(self, z: FloatArray, draws: int = DRAWS, seed: int = 0) -> Iterator[FloatArray]:
        """Yield minus the value of resampled documents, in blocks of shape (rows, some draws); ``draws`` in all.

        All rows share the same resamples.

        Args:
            z: from ``linear``, shape (rows, documents).
            draws: how many resamples.
            seed: the seed of the bootstrap.

        Raises:
            TooLargeError: the value of a resample is.
        """
        documents = len(self.weights)
        middle = z.mean(axis=1, keepdims=True)
        centred, weights = (z - middle).T, self.weights / self.weights.mean()
        step = max(1, min(draws, _BLOCK // max(documents, len(z))))
        for counts in _counts(documents, draws, seed, step):
            moved = ((counts @ centred) / (counts @ weights)[:, None]).T
            # exp(R*) = exp(R) exp(R* - R), and moved = -exp(R) (R* - R).
            with np.errstate(over="ignore"):
                values = middle * np.exp(moved / middle) if self.exponential else middle + moved
            if not (np.abs(values) <= _LARGEST).all():
                raise TooLargeError("a perplexity of other documents like these")
            yield values

    def score(self, gains: FloatArray, confidence: float = CONFIDENCE) -> Score:
        """Return the value of documents with these ``gains``, shape (documents,), lower is better."""
        z = self.linear(gains[None])
        return _scores(z, np.concatenate(list(self.drawn(z)), axis=1), confidence)[0]

    def against(
        self, intact: FloatArray, ablated: FloatArray, confidence: float = CONFIDENCE
    ) -> list[tuple[Score, Drop]]:
        """Return the value of each ablation, and by how much it is worse than the intact one: above 0 where it is.

        Intervals of drops are paired: a resample of documents is that of both. Where no document differs from the
        others, and for a single document, they are as wide as ``unseen_half_width``. Each ablation is told by itself,
        whatever the others are.

        Args:
            intact: the intact model's gains, shape (documents,).
            ablated: those of ablations, shape (ablations, documents), of the same documents.
            confidence: the confidence of the intervals.

        Raises:
            TooLargeError: a value is, or that of a resample.
        """
        z = self.linear(np.concatenate([intact[None], ablated]))
        drawn = np.concatenate(list(self.drawn(z)), axis=1)
        scale, differences = np.maximum(np.abs(z[0]).max(), np.abs(z[1:]).max(axis=1)), z[0] - z[1:]
        drops = without_rounding(differences.mean(axis=1), scale)
        moved = without_rounding(drawn[0] - drawn[1:], scale[:, None])
        low, high = percentiles(moved, drops, z.shape[1], confidence)
        still = never_varies(differences, scale)
        unseen = np.array([unseen_half_width(one, confidence) for one in differences])
        low, high = np.where(still, drops - unseen, low), np.where(still, drops + unseen, high)
        found = [
            Drop(z.shape[1], float(drop), float(one), float(other), None)
            for drop, one, other in zip(drops, low, high, strict=True)
        ]
        return list(zip(_scores(z[1:], drawn[1:], confidence), found, strict=True))


def _scores(z: FloatArray, drawn: FloatArray, confidence: float) -> list[Score]:
    """Return the scores of rows of z, shape (rows, documents), from their resamples, shape (rows, draws)."""
    values, documents = -z.mean(axis=1), z.shape[1]
    if documents < 2:
        return [Score(float(value), None, None, None) for value in values]
    low, high = percentiles(-drawn, values, documents, confidence)
    columns = zip(values, drawn.std(axis=1, ddof=1), low, high, strict=True)
    return [Score(*map(float, column)) for column in columns]


def _counts(documents: int, draws: int, seed: int, step: int) -> Iterator[FloatArray]:
    """Yield how often each document is in each resample, in blocks of shape (``step`` at most, documents)."""
    if documents * draws <= _KEPT:
        kept = _kept_counts(documents, draws, seed)
        yield from (kept[start : start + step] for start in range(0, draws, step))
        return
    generator = np.random.default_rng(seed)
    for start in range(0, draws, step):
        yield _drawn_counts(documents, min(step, draws - start), generator)


@lru_cache(maxsize=1)
def _kept_counts(documents: int, draws: int, seed: int) -> FloatArray:
    """Return the counts of all resamples, which a chart needs anew for each layer."""
    counts = _drawn_counts(documents, draws, np.random.default_rng(seed))
    counts.flags.writeable = False
    return counts


def _drawn_counts(documents: int, draws: int, generator: np.random.Generator) -> FloatArray:
    picked = generator.integers(0, documents, size=(draws, documents), dtype=np.int64)
    picked += np.arange(draws)[:, None] * documents
    return np.bincount(picked.ravel(), minlength=draws * documents).reshape(draws, documents).astype(np.float64)


def percentiles(
    drawn: FloatArray, found: FloatArray, documents: int, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of intervals, each of shape (rows,), from values of resamples, shape (rows, draws).

    These are expanded percentiles: resamples of n documents vary less than samples do, by sqrt((n - 1) / n), and few
    documents tell little of how much they vary, as in Student's t. So the quantiles are taken further out (Hesterberg
    2015, "What teachers should know about the bootstrap"). All intervals contain what was found.
    """
    freedom = max(documents - 1, 1)
    reach = float(student_half_width(confidence, np.array(float(freedom)))) * math.sqrt(documents / freedom)
    tail = NormalDist().cdf(-reach)
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=1)
    return np.minimum(low, found), np.maximum(high, found)
