"""Decide when to stop: whether the top k is known, with a test that may be repeated as often as one likes.

A 95% interval that is checked after every chunk of documents errs far more often than 5%. Here the bounds are an
asymptotic confidence sequence, which holds at all checks together: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
"Time-uniform central limit theory and asymptotic confidence sequences" (arXiv 2103.06476), the one-sided form of their
Gaussian mixture, with the estimated variance. The bounds are asymptotic, as a normal interval is, hence the burn-in.

The top is wrong only if it holds a unit that does not belong in the place of one that does. A true top of k among N
makes k (N - k) such pairs. With confidence 1 - alpha / (k (N - k)) for each pair's paired difference, the decision errs
with probability alpha at most, whichever top is the true one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import CONFIDENCE, FloatArray

BURN_IN = 32
"""Nothing is decided before this many documents."""

_TIGHTEST_AT = 256
"""Number of documents at which the bounds are tightest; any choice keeps them valid."""

_FURTHEST = 100
"""No forecast of the remaining documents goes beyond this many times their present number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision on whether the ``k`` largest units are known.

    Attributes:
        top: the units of the k largest means, largest first.
        decided: whether they are the k largest, with the requested confidence.
        undecided: units that may or may not belong to the top, in order of their numbers; empty if all is decided.
        more_documents: an estimate of how many more documents are needed if means and variances stay as they are. It
            is 0 if all is decided, and None if no end is in sight because units tie, or nearly.
    """

    top: tuple[int, ...]
    decided: bool
    undecided: tuple[int, ...]
    more_documents: int | None


def decide(contributions: FloatArray, k: int = 3, confidence: float = CONFIDENCE) -> Verdict:
    """Check whether the top is known from the documents so far; valid however often one checks, and whenever one stops.

    Documents must come in random order, because the first ones stand for all.

    Args:
        contributions: shape (units, documents), from ``Estimator.contributions``.
        k: how many units form the top.
        confidence: the probability that a decision, if one is ever made, is right.

    Raises:
        ValueError: there are no documents, or k is less than 1.
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
    """Return the mean and the variance of each paired difference, both of shape (top, others).

    The variance includes two invented documents, one on either side, as large as the largest contribution. A difference
    that has not varied so far may still vary.
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
    """Return by how many standard errors a mean may be off to one side, at all numbers of documents together."""
    rho2 = (-2 * math.log(2 * alpha) + math.log(1 - 2 * math.log(2 * alpha))) / _TIGHTEST_AT
    spread = documents * rho2 + 1
    return math.sqrt(2 * spread / (documents**2 * rho2) * math.log(1 + math.sqrt(spread) / (2 * alpha)))


def _needed(gaps: FloatArray, variances: FloatArray, documents: int, alpha: float) -> int | None:
    """Return after how many documents in total every pair would be decided, if gaps and variances stay as they are.

    It is None if no end is in sight.
    """
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
