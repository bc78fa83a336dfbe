"""An estimate: Shapley values with how sure they are, from what each unit contributes on each document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import CornerstoneError
from core.estimators.bootstrap import resampled_means
from core.estimators.estimator import Estimator, Outcomes, require
from core.estimators.ranks import ranks
from core.estimators.shares import share_bounds, shares
from core.intervals import CONFIDENCE, FloatArray, never_varies, score_half_width
from core.schedules import INTACT

DRAWS = 2000
_TOP = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shapley values of one task under one model. Arrays have shape (units,).

    ``phi`` is unclipped, ``phi_clipped`` = max(phi, 0); ``share`` is of the sum of clipped values (NaN where that is
    0) and ``rank`` 1 is the largest clipped value, ties going to the larger unclipped value, then to the earlier
    unit. ``se`` is NaN for fewer than two documents. Intervals are bootstrapped over documents (percentiles) and hold
    their estimate. What the documents agree on is not certain for that: where a unit's contribution is the same on
    every document, ``phi`` moves by the half-width of a score interval either way, and its share with it; likewise the
    others' sum where that never varies. An interval of a share that is NaN is NaN. ``top3`` is the part of the
    resamples in which a unit is among the three largest.
    """

    estimator: str
    n: int
    phi: FloatArray
    phi_clipped: FloatArray
    se: FloatArray
    share: FloatArray
    rank: NDArray[np.int64]
    phi_low: FloatArray
    phi_high: FloatArray
    share_low: FloatArray
    share_high: FloatArray
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]
    top3: FloatArray


def estimate(
    estimator: Estimator,
    outcomes: Outcomes,
    units: int,
    *,
    draws: int = DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Shapley values with their uncertainty over documents.

    Args:
        estimator: how the values are made from the outcomes.
        outcomes: values by coalition of units, with none ``missing`` for the estimator.
        units: how many there are.
        draws: bootstrap resamples of the documents.
        confidence: of the intervals.
        seed: of the bootstrap.

    Raises:
        CornerstoneError: coalitions are missing, or there is no document.
        ValueError: the arrays are not of one length.
    """
    require(estimator, outcomes, units)
    if len({values.shape for values in outcomes.values()}) > 1:
        raise ValueError("outcomes of all coalitions must have the same shape, one value a document")
    documents = len(outcomes[INTACT])
    if documents == 0:
        raise CornerstoneError(f"{estimator.name} needs at least one document that all coalitions have")
    contributions = estimator.contributions(outcomes, units)
    lowest = min(float(values.min()) for values in outcomes.values())
    highest = max(float(values.max()) for values in outcomes.values())
    constant = never_varies(contributions, max(abs(lowest), abs(highest)))
    phi = contributions.mean(axis=1)
    share = shares(phi)
    resampled = resampled_means(contributions, draws, np.random.default_rng(seed))
    phi_low, phi_high = _quantiles(resampled, confidence)
    half_width = score_half_width(documents, confidence)
    margin = np.where(constant, half_width, 0.0)
    # A contribution is a mean of differences between two values.
    limit = 1.0 if lowest >= 0 and highest <= 1 else np.inf
    share_low, share_high = share_bounds(
        resampled - margin, np.minimum(resampled + margin, limit), resampled, half_width, confidence
    )
    drawn_ranks = ranks(resampled)
    rank, rank_bounds = ranks(phi), _quantiles(drawn_ranks, confidence)
    return Estimate(
        estimator=estimator.name,
        n=documents,
        phi=phi,
        phi_clipped=np.maximum(phi, 0.0),
        se=_standard_errors(contributions, constant),
        share=share,
        rank=rank,
        phi_low=np.minimum(phi, np.maximum(phi_low - margin, -limit)),
        phi_high=np.maximum(phi, np.minimum(phi_high + margin, limit)),
        share_low=np.where(np.isnan(share), np.nan, np.fmin(share, share_low)),
        share_high=np.where(np.isnan(share), np.nan, np.fmax(share, share_high)),
        rank_low=np.minimum(rank, np.floor(rank_bounds[0]).astype(np.int64)),
        rank_high=np.maximum(rank, np.ceil(rank_bounds[1]).astype(np.int64)),
        top3=(drawn_ranks <= _TOP).mean(axis=0),
    )


def _standard_errors(contributions: FloatArray, constant: NDArray[np.bool_]) -> FloatArray:
    units, documents = contributions.shape
    if documents < 2:
        return np.full(units, np.nan)
    return np.where(constant, 0.0, contributions.std(axis=1, ddof=1) / np.sqrt(documents))


def _quantiles(values: FloatArray | NDArray[np.int64], confidence: float) -> tuple[FloatArray, FloatArray]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
