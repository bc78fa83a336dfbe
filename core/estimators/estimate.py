"""Estimates: Shapley values with their uncertainty, from the contribution of each unit on each document."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.coalitions.schedules import INTACT
from core.errors import CornerstoneError
from core.estimators.estimator import Estimator, Outcomes, require
from core.statistics.bootstrap import drawn_values
from core.statistics.intervals import CONFIDENCE, FloatArray, never_varies, unseen_half_width, without_rounding
from core.statistics.phi_intervals import phi_bounds, standard_errors
from core.statistics.ranks import ranks
from core.statistics.shares import implied_bounds, share_bounds, shares

DRAWS = 2000
_TOP = 3
# The rounding error that weighted sums of equal values leave, for values up to 1.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shapley values of one task under one model. Arrays have shape (units,).

    ``phi`` is unclipped, and ``phi_clipped`` is max(phi, 0). ``share`` is the part of the sum of clipped values, NaN if
    that is 0. ``rank`` 1 is the largest clipped value; ties go to the larger unclipped value, then to the earlier unit.
    ``se`` is paired over documents, and NaN for fewer than two documents.

    The interval of ``phi`` comes from ``statistics.intervals.t_interval``, or is that of a drop if every contribution
    is a drop. Intervals of shares and ranks are percentiles of a bootstrap over documents. ``top3`` is the part of its
    draws in which a unit is among the three largest; ties in a draw are broken at random. All intervals contain their
    estimate.

    A contribution that is the same on every document is still not certain: ``phi`` moves by
    ``statistics.intervals.unseen_half_width`` either way, and so do its share and rank. The same holds for the sum of
    the other units. A share's interval is no narrower than its phi's interval implies with the others as estimated. It
    is NaN if the share is. If the coalitions were drawn at random, all of these include the noise of the draw.

    Coverage was measured with 64 to 256 documents (tests/benchmarks/coverage.py). 95% intervals of phi cover the truth
    in 93 to 97% if a dozen documents or more have a contribution, and mostly in more if fewer do. Intervals of shares,
    which clipping biases if they are small, cover it in 90 to 100%. Intervals of ranks nearly always do.
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
    """Estimate Shapley values with their uncertainty over documents.

    Args:
        estimator: makes the values from the outcomes.
        outcomes: values by coalition of units; none that the estimator needs may be missing.
        units: the number of units.
        draws: bootstrap resamples of the documents.
        confidence: the confidence of the intervals.
        seed: the seed of the bootstrap.

    Raises:
        CornerstoneError: coalitions are missing, or there is no document.
        ValueError: the arrays have different lengths.
    """
    documents = _documents(estimator, outcomes, units)
    lowest = min(float(values.min()) for values in outcomes.values())
    highest = max(float(values.max()) for values in outcomes.values())
    scale = max(abs(lowest), abs(highest))
    # A contribution is a mean of differences between two values.
    limit = 1.0 if lowest >= 0 and highest <= 1 else np.inf
    contributions = without_rounding(estimator.contributions(outcomes, units), scale)
    noise = estimator.sampling_noise(outcomes, units)
    phi = without_rounding(contributions.mean(axis=1), scale)
    phi_low, phi_high = phi_bounds(contributions, confidence, scale, noise)
    phi_low, phi_high = np.maximum(phi_low, -limit), np.minimum(phi_high, limit)

    generator = np.random.default_rng(seed)
    drawn = without_rounding(drawn_values(contributions, noise, draws, generator), scale)
    half_width = unseen_half_width(contributions, confidence)
    margin = np.where(never_varies(contributions, scale), half_width, 0.0)
    share, rank = shares(phi), ranks(phi)
    share_low, share_high = share_bounds(
        drawn - margin, np.minimum(drawn + margin, limit), drawn, half_width, confidence
    )
    # Resamples of few documents may agree where phi itself is not certain.
    least, most = implied_bounds(phi, phi_low, phi_high)
    spread = np.maximum(margin / NormalDist().inv_cdf((1 + confidence) / 2), _ROUNDING * max(scale, 1.0))
    # Ties in a draw are ordered at random, so that no unit is ahead because it comes first.
    drawn_ranks = ranks(drawn + spread * generator.normal(size=drawn.shape))
    rank_low, rank_high = np.quantile(drawn_ranks, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return Estimate(
        estimator=estimator.name,
        n=documents,
        phi=phi,
        phi_clipped=np.maximum(phi, 0.0),
        se=standard_errors(contributions, scale, noise),
        share=share,
        rank=rank,
        phi_low=phi_low,
        phi_high=phi_high,
        share_low=_defined(share, np.fmin(share_low, least)),
        share_high=_defined(share, np.fmax(share_high, most)),
        rank_low=np.minimum(rank, np.floor(rank_low).astype(np.int64)),
        rank_high=np.maximum(rank, np.ceil(rank_high).astype(np.int64)),
        top3=(drawn_ranks <= _TOP).mean(axis=0),
    )


def _documents(estimator: Estimator, outcomes: Outcomes, units: int) -> int:
    """Return how many documents the outcomes have; raise what ``estimate`` does."""
    require(estimator, outcomes, units)
    if len({values.shape for values in outcomes.values()}) > 1:
        raise ValueError("outcomes of all coalitions must have the same shape, one value a document")
    documents = len(outcomes[INTACT])
    if documents == 0:
        raise CornerstoneError(f"{estimator.name} needs at least one document that all coalitions have")
    return documents


def _defined(share: FloatArray, bound: FloatArray) -> FloatArray:
    return np.where(np.isnan(share), np.nan, bound)
