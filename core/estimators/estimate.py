"""An estimate: Shapley values with how sure they are, from what each unit contributes on each document."""

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
# A difference that weighted sums of equal values leave, of values as large as 1.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shapley values of one task under one model. Arrays have shape (units,).

    ``phi`` is unclipped, ``phi_clipped`` = max(phi, 0); ``share`` is of the sum of clipped values (NaN where that is
    0) and ``rank`` 1 is the largest clipped value, ties going to the larger unclipped value, then to the earlier
    unit. ``se`` is paired over documents, and NaN for fewer than two of them.

    The interval of ``phi`` is ``statistics.intervals.t_interval``'s, or that of a drop where every contribution is one.
    Intervals of shares and ranks are percentiles of a bootstrap over documents; ``top3`` is the part of its draws in
    which a unit is among the three largest, ties in a draw being broken by chance. All hold their estimate. What the
    documents agree on is not certain for that: where a unit's contribution is the same on every document, ``phi`` moves
    by ``statistics.intervals.unseen_half_width`` either way, and its share and rank with it; likewise the others' sum
    where that never varies. An interval of a share is no narrower than that of its phi implies, the others being as
    estimated, and that of a share that is NaN is NaN. Where the coalitions were drawn, their noise is in all of these.

    Measured with 64 to 256 documents (tests/benchmarks/coverage.py): 95% intervals of phi hold the truth in
    93 to 97% where a dozen documents or more have a contribution (with fewer, mostly in more); those of shares, which
    are clipped and so biased where they are small, in 90 to 100%; those of ranks nearly always.
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
    # What ties in a draw is ordered by chance: no unit is ahead for being earlier.
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
    """How many documents the outcomes are of; raises what ``estimate`` does."""
    require(estimator, outcomes, units)
    if len({values.shape for values in outcomes.values()}) > 1:
        raise ValueError("outcomes of all coalitions must have the same shape, one value a document")
    documents = len(outcomes[INTACT])
    if documents == 0:
        raise CornerstoneError(f"{estimator.name} needs at least one document that all coalitions have")
    return documents


def _defined(share: FloatArray, bound: FloatArray) -> FloatArray:
    return np.where(np.isnan(share), np.nan, bound)
