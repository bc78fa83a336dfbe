"""Estimates: Shapley values with their uncertainty, from the contribution of each unit on each document."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.coalitions.schedules import INTACT
from core.errors import CornerstoneError
from core.estimators.estimator import Estimator, Outcomes, require
from core.estimators.sizes import unit_sizes
from core.statistics.bootstrap import drawn_values
from core.statistics.intervals import CONFIDENCE, FloatArray, never_varies, unseen_half_width, without_rounding
from core.statistics.phi_intervals import phi_bounds, standard_errors
from core.statistics.ranks import ranks
from core.statistics.ratio import Ratio, percentiles
from core.statistics.shares import implied_bounds, share_bounds, shares
from core.statistics.verdicts import Verdicts

DRAWS = 2000
_NO_DOCUMENT = "{} needs at least one document that all coalitions have"
_TOP = 3
# The rounding error that weighted sums of equal values leave, for values up to 1.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shapley values of one task under one model. Arrays have shape (units,).

    ``n`` is the number of documents with a contribution of the unit. ``phi`` is unclipped, and ``phi_clipped`` is
    max(phi, 0). ``share`` is the part of the sum of clipped values, NaN if that is 0. ``rank`` 1 is the largest clipped
    value; ties go to the larger unclipped value, then to the earlier unit. ``se`` is paired over documents, and NaN for
    fewer than two documents.

    The interval of ``phi`` comes from ``statistics.intervals.t_interval``, or is that of a drop if every contribution
    is a drop. Intervals of shares and ranks are percentiles of a bootstrap over documents. ``top3`` is the part of its
    draws in which a unit is among the three largest; ties in a draw are broken at random. All intervals contain their
    estimate.

    A contribution that is the same on every document is still not certain: ``phi`` moves by
    ``statistics.intervals.unseen_half_width`` either way, and so do its share and rank. The same holds for the sum of
    the other units. Units of few documents have wider intervals. A share's interval is no narrower than its phi's
    interval implies with the others as estimated. It is NaN if the share is. If the coalitions were drawn at random,
    all of these include the noise of the draw.

    ``verdicts`` says which units are the largest, as far as that is known. It is told by who has raced them
    (``core.estimators.racing``), and None where nothing was to be decided.

    Coverage was measured with 64 to 256 documents (tests/benchmarks/coverage.py). 95% intervals of phi cover the truth
    in 93 to 97% if a dozen documents or more have a contribution, and mostly in more if fewer do. Intervals of shares,
    which clipping biases if they are small, cover it in 90 to 100%. Intervals of ranks nearly always do.
    """

    estimator: str
    n: NDArray[np.int64]
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
    verdicts: Verdicts | None = None


def estimate(
    estimator: Estimator,
    outcomes: Outcomes,
    units: int,
    *,
    draws: int = DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    ratio: Ratio | None = None,
) -> Estimate:
    """Estimate Shapley values with their uncertainty over documents.

    Args:
        estimator: makes the values from the outcomes.
        outcomes: values by coalition of units; none that the estimator needs may be missing. A document that was not
            evaluated under all of them has NaN under the others, if ``Estimator.needs`` tells whose contribution that
            concerns.
        units: the number of units.
        draws: bootstrap resamples of the documents.
        confidence: the confidence of the intervals.
        seed: the seed of the bootstrap.
        ratio: how the documents make a value of their corpus, where it is no mean; ``outcomes`` are its
            ``Ratio.linear``, without NaN. The bootstrap then takes the corpus's value of each coalition in each
            resample, and phi's interval is one of its percentiles. Where the coalitions follow from the outcomes, or
            are drawn at random, it takes the outcomes as values of documents.

    Raises:
        CornerstoneError: coalitions are missing, or a unit has no document.
        TooLargeError: a perplexity is, so that nothing can be told of the other ones beside it.
        ValueError: the arrays have different lengths.
    """
    _check(estimator, outcomes, units)
    lowest = min(float(np.nanmin(values)) for values in outcomes.values())
    highest = max(float(np.nanmax(values)) for values in outcomes.values())
    scale = unit_sizes(estimator, outcomes, units, ratio)
    # A contribution is a mean of differences between two values, except where it is extrapolated.
    limit = 1.0 if lowest >= 0 and highest <= 1 and not estimator.extrapolates else np.inf
    contributions = without_rounding(estimator.contributions(outcomes, units), scale[:, None])
    if np.isnan(contributions).all(axis=1).any():
        raise CornerstoneError(_NO_DOCUMENT.format(estimator.name))
    noise = estimator.sampling_noise(outcomes, units)
    each = _by_unit(contributions, confidence, scale, noise, alone=ratio is not None and ratio.exponential)
    phi, phi_low, phi_high = each.phi, np.maximum(each.low, -limit), np.minimum(each.high, limit)

    generator = np.random.default_rng(seed)
    if ratio is not None and noise is None and not estimator.in_rounds:
        drawn = without_rounding(_of_corpora(estimator, outcomes, units, ratio, draws, seed), scale)
        if len(ratio.weights) > 1:
            low, high = percentiles(drawn.T, phi, len(ratio.weights), confidence)
            phi_low, phi_high = np.where(each.still, phi_low, low), np.where(each.still, phi_high, high)
    else:
        drawn = without_rounding(drawn_values(contributions, noise, draws, generator), scale)
    margin = np.where(each.still, each.unseen, 0.0)
    share, rank = shares(phi), ranks(phi)
    share_low, share_high = share_bounds(
        drawn - margin, np.minimum(drawn + margin, limit), drawn, each.unseen, confidence
    )
    # Resamples of few documents may agree where phi itself is not certain.
    least, most = implied_bounds(phi, phi_low, phi_high)
    spread = np.maximum(margin / NormalDist().inv_cdf((1 + confidence) / 2), _ROUNDING * np.maximum(scale, 1.0))
    # Ties in a draw are ordered at random, so that no unit is ahead because it comes first.
    drawn_ranks = ranks(drawn + spread * generator.normal(size=drawn.shape))
    rank_low, rank_high = np.quantile(drawn_ranks, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return Estimate(
        estimator=estimator.name,
        n=each.n,
        phi=phi,
        phi_clipped=np.maximum(phi, 0.0),
        se=each.se,
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


def _of_corpora(
    estimator: Estimator, outcomes: Outcomes, units: int, ratio: Ratio, draws: int, seed: int
) -> FloatArray:
    """Return phi of resampled corpora, shape (draws, units): an estimator treats them as it does documents."""
    blocks = ratio.drawn(np.stack(list(outcomes.values())), draws, seed)
    phi = [estimator.contributions(dict(zip(outcomes, block, strict=True)), units) for block in blocks]
    return np.concatenate(phi, axis=1).T


def _check(estimator: Estimator, outcomes: Outcomes, units: int) -> None:
    """Raise what ``estimate`` does."""
    require(estimator, outcomes, units)
    if len({values.shape for values in outcomes.values()}) > 1:
        raise ValueError("outcomes of all coalitions must have the same shape, one value a document")
    if not len(outcomes[INTACT]):
        raise CornerstoneError(_NO_DOCUMENT.format(estimator.name))


@dataclass(frozen=True, slots=True)
class _ByUnit:
    """Statistics of each unit over its own documents. Arrays have shape (units,).

    ``still`` says that its contribution is the same on all of them, and ``unseen`` how far phi may be off then.
    """

    n: NDArray[np.int64]
    phi: FloatArray
    low: FloatArray
    high: FloatArray
    se: FloatArray
    still: NDArray[np.bool_]
    unseen: FloatArray


def _by_unit(
    contributions: FloatArray, confidence: float, scale: FloatArray, noise: FloatArray | None, *, alone: bool
) -> _ByUnit:
    """Sum up contributions, NaN where a unit lacks a document; ``scale`` has shape (units,).

    Units of the same documents are taken together, and all have the same scale, unless each is to be taken ``alone``.
    """
    units = len(contributions)
    phi, low, high, se, unseen = (np.empty(units) for _ in range(5))
    still = np.zeros(units, dtype=np.bool_)
    there = ~np.isnan(contributions)
    sizes = np.nanmax(np.abs(contributions), axis=1)
    together = [(there == documents).all(axis=1) for documents in np.unique(there, axis=0)]
    for some in np.eye(units, dtype=np.bool_) if alone else together:
        own = contributions[some][:, there[some][0]]
        size, largest = float(scale[some][0]), float(sizes[some].max() if alone else sizes.max())
        noisy = None if noise is None else noise[:, some]
        phi[some] = without_rounding(own.mean(axis=1), size)
        low[some], high[some] = phi_bounds(own, confidence, size, noisy, largest)
        se[some] = standard_errors(own, size, noisy)
        still[some] = never_varies(own, size)
        unseen[some] = unseen_half_width(own, confidence, largest)
    return _ByUnit(there.sum(axis=1), phi, low, high, se, still, unseen)


def _defined(share: FloatArray, bound: FloatArray) -> FloatArray:
    return np.where(np.isnan(share), np.nan, bound)
