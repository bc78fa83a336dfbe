"""When to stop: whether the top k is decided, looked at as often as one likes.

A 95% interval that is looked at after every chunk of documents errs far more often than 5%. Here the bounds are those
of an asymptotic confidence sequence, which hold at all looks together: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
"Time-uniform central limit theory and asymptotic confidence sequences" (arXiv 2103.06476), the one-sided form of
their Gaussian mixture, with the estimated variance. They are asymptotic as a normal interval is, hence the burn-in.

The top is wrong only if it holds a unit that does not belong in the place of one that does. A true top of k among N
makes k (N - k) such pairs, so with confidence 1 - alpha / (k (N - k)) for each pair's paired difference the decision
errs with probability alpha at most, whichever top is the true one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import CONFIDENCE, FloatArray

BURN_IN = 32
"""Documents before which nothing is decided."""

_TIGHTEST_AT = 256
"""Documents at which the bounds are tightest for what they must hold; any number keeps them valid."""

_FURTHEST = 100
"""Times the documents there are, beyond which no end is in sight."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the ``k`` largest are known.

    Attributes:
        top: the units of the k largest means, largest first.
        decided: they are the k largest, with the confidence asked for.
        undecided: units that may or may not belong, by number; empty where all is decided.
        more_documents: an estimate of how many more it takes, if means and variances stay as they are; 0 where all is
            decided, None where no end is in sight: units tie, or nearly.
    """

    top: tuple[int, ...]
    decided: bool
    undecided: tuple[int, ...]
    more_documents: int | None


def decide(contributions: FloatArray, k: int = 3, confidence: float = CONFIDENCE) -> Verdict:
    """Look at the documents so far; valid however often one looks, and whenever one stops.

    Documents must come in random order: the first ones stand for all.

    Args:
        contributions: of shape (units, documents), as ``Estimator.contributions`` has them.
        k: how many units are at the top.
        confidence: that a decision, if one is ever made, is right.

    Raises:
        ValueError: no documents, or not at least one unit.
    """
    units, documents = contributions.shape
    if not documents or not k > 0:
        raise ValueError(f"need documents and a top of at least one unit, got {documents} documents and k {k}")
    order = np.argsort(-contributions.mean(axis=1), kind="stable")
    top, others = order[:k], order[k:]
    if not len(others):
        return Verdict(tuple(map(int, top)), True, (), 0)
    alpha = (1 - confidence) / (k * (units - k))
    gaps, variances = _pairs(contributions, top, others)
    open_pairs = gaps <= np.sqrt(variances) * _reach(documents, alpha)
    if documents < BURN_IN:
        open_pairs[:] = True
    if not open_pairs.any():
        return Verdict(tuple(map(int, top)), True, (), 0)
    undecided = [*top[open_pairs.any(axis=1)], *others[open_pairs.any(axis=0)]]
    needed = _needed(gaps, variances, documents, alpha)
    return Verdict(
        top=tuple(map(int, top)),
        decided=False,
        undecided=tuple(sorted(map(int, undecided))),
        more_documents=None if needed is None else needed - documents,
    )


def _pairs(contributions: FloatArray, top: NDArray[np.intp], others: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """The mean and the variance of each paired difference, shape (top, others).

    A document is added to either side, at the largest contribution there is: a difference that has not been seen to
    vary may yet.
    """
    documents = contributions.shape[1]
    centred = contributions - contributions.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T
    own = np.diag(covariance)
    squares = own[top][:, None] + own[others][None] - 2 * covariance[np.ix_(top, others)]
    largest = float(np.abs(contributions).max())
    mean = contributions.mean(axis=1)
    return mean[top][:, None] - mean[others][None], (np.maximum(squares, 0.0) + 2 * largest**2) / (documents + 2)


def _reach(documents: float, alpha: float) -> float:
    """By how many standard deviations a mean may be off, at all numbers of documents together, to one side."""
    rho2 = (-2 * math.log(2 * alpha) + math.log(1 - 2 * math.log(2 * alpha))) / _TIGHTEST_AT
    spread = documents * rho2 + 1
    return math.sqrt(2 * spread / (documents**2 * rho2) * math.log(1 + math.sqrt(spread) / (2 * alpha)))


def _needed(gaps: FloatArray, variances: FloatArray, documents: int, alpha: float) -> int | None:
    """After how many documents in all every pair would be decided, if gaps and variances stay."""
    if (gaps <= 0).any():
        return None
    reach = float((gaps / np.sqrt(variances)).min())
    low, high = max(documents, BURN_IN - 1), documents * _FURTHEST
    if reach <= _reach(high, alpha):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _reach(middle, alpha) < reach else (middle, high)
    return high
