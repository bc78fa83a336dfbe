"""Shapley values of players from stored outcomes: the paper's neighbourhood estimator in both its readings.

v is a mean over documents, so an estimate is a mean of per-document contributions: an estimator is a function from
outcomes to a matrix (players, documents), and everything else (standard errors, intervals, shares, ranks) follows.

These are not Shapley weights: the values need not add up to v(N), so a share is of the sum of positive values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import CornerstoneError
from core.intervals import CONFIDENCE, FloatArray, never_varies, score_half_width
from core.players import Removed
from core.schedules import windows

Outcomes = Mapping[Removed, FloatArray]
"""Per-document values by coalition; all arrays have shape (documents,) and the same documents in the same order."""

DRAWS = 1000
_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shapley values of one task under one model. Arrays have shape (players,).

    ``phi`` is unclipped, ``phi_clipped`` = max(phi, 0); ``share`` is of the sum of clipped values (NaN where that is
    0) and ``rank`` 1 is the largest clipped value, ties going to the larger unclipped value, then to the earlier
    player. ``se`` is NaN for fewer than two documents. Intervals are bootstrapped over documents (percentiles) and hold
    their estimate. What the documents agree on is not certain for that: where a player's contribution is the same on
    every document, ``phi`` moves by the half-width of a score interval either way, and its share with it; likewise the
    others' sum where that never varies. An interval of a share that is NaN is NaN.
    """

    estimator: str
    max_removed: int
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


def window_first(outcomes: Outcomes, player: int, players: int, max_removed: int) -> Iterator[FloatArray]:
    """The terms of the paper's estimator for one player, each of shape (documents,).

    For r = 0..max_removed-1 with i + r < N: v(N minus {i+1..i+r}) - v(N minus {i..i+r}) (paper, section 4: windows of
    subsequent players, of which i is the first).
    """
    for last in range(player, min(player + max_removed, players)):
        yield outcomes[tuple(range(player + 1, last + 1))] - outcomes[tuple(range(player, last + 1))]


def window_ends(outcomes: Outcomes, player: int, players: int, max_removed: int) -> Iterator[FloatArray]:
    """The terms of the other reading: v(window without i) - v(window) where i is a window's first or last player.

    The authors' published code averages these, unweighted; a window of one counts once, so an interior player has
    2 max_removed - 1 terms.
    """
    yield from window_first(outcomes, player, players, max_removed)
    for first in range(player - 1, max(player - max_removed, -1), -1):
        yield outcomes[tuple(range(first, player))] - outcomes[tuple(range(first, player + 1))]


Terms = Callable[[Outcomes, int, int, int], Iterator[FloatArray]]

_ESTIMATORS: dict[str, Terms] = {"window-first": window_first, "window-ends": window_ends}
ESTIMATORS = tuple(_ESTIMATORS)


def needed(players: int, max_removed: int) -> list[Removed]:
    """The coalitions that both estimators read."""
    return windows(players, max_removed)


def estimate(
    estimator: str,
    outcomes: Outcomes,
    players: int,
    max_removed: int,
    *,
    draws: int = DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Shapley values with their uncertainty over documents.

    Args:
        estimator: one of ``ESTIMATORS``.
        outcomes: values by coalition, every one of ``needed`` among them.
        players: how many players the model has.
        max_removed: the longest window (early truncation).
        draws: bootstrap resamples of the documents.
        confidence: of the intervals.
        seed: of the bootstrap.

    Raises:
        CornerstoneError: coalitions are missing, there is no document, or no window is allowed.
        ValueError: the arrays are not of one length.
    """
    if max_removed < 1:
        raise CornerstoneError(f"{estimator} needs windows of at least 1 player, not {max_removed}; set --max-removed")
    missing = [removed for removed in needed(players, max_removed) if removed not in outcomes]
    if missing:
        raise CornerstoneError(f"{estimator} needs {len(missing)} more coalitions (windows of up to {max_removed})")
    documents = len(outcomes[()])
    if documents == 0:
        raise CornerstoneError(f"{estimator} needs at least one document that all coalitions have")
    values = np.stack([outcomes[removed] for removed in needed(players, max_removed)])
    contributions = _contributions(_ESTIMATORS[estimator], outcomes, players, max_removed)
    constant = never_varies(contributions, float(np.abs(values).max()))
    phi = contributions.mean(axis=1)
    clipped = np.maximum(phi, 0.0)
    share = _shares(clipped[None])[0]
    resampled = _bootstrap(contributions, draws, seed)
    phi_low, phi_high = _quantiles(resampled, confidence)
    half_width = score_half_width(documents, confidence)
    margin = np.where(constant, half_width, 0.0)
    # A contribution is a mean of differences between two values.
    limit = 1.0 if values.min() >= 0 and values.max() <= 1 else np.inf
    share_low, share_high = _share_bounds(
        resampled - margin, np.minimum(resampled + margin, limit), resampled, half_width, confidence
    )
    return Estimate(
        estimator=estimator,
        max_removed=max_removed,
        n=documents,
        phi=phi,
        phi_clipped=clipped,
        se=_standard_errors(contributions, constant),
        share=share,
        rank=_ranks(phi),
        phi_low=np.minimum(phi, np.maximum(phi_low - margin, -limit)),
        phi_high=np.maximum(phi, np.minimum(phi_high + margin, limit)),
        share_low=np.where(np.isnan(share), np.nan, np.fmin(share, share_low)),
        share_high=np.where(np.isnan(share), np.nan, np.fmax(share, share_high)),
    )


def _contributions(terms: Terms, outcomes: Outcomes, players: int, max_removed: int) -> FloatArray:
    """What each player contributes on each document, shape (players, documents): the mean of its terms."""
    return np.array([np.mean(list(terms(outcomes, player, players, max_removed)), axis=0) for player in range(players)])


def _standard_errors(contributions: FloatArray, constant: NDArray[np.bool_]) -> FloatArray:
    players, documents = contributions.shape
    if documents < 2:
        return np.full(players, np.nan)
    return np.where(constant, 0.0, contributions.std(axis=1, ddof=1) / np.sqrt(documents))


def _bootstrap(contributions: FloatArray, draws: int, seed: int) -> FloatArray:
    """Means over resampled documents, shape (draws, players); in blocks, so that memory does not grow with draws."""
    documents = contributions.shape[1]
    generator = np.random.default_rng(seed)
    even = np.full(documents, 1 / documents)
    blocks: list[FloatArray] = []
    for start in range(0, draws, _BLOCK):
        counts = generator.multinomial(documents, even, size=min(_BLOCK, draws - start))
        blocks.append(np.asarray(counts @ contributions.T / documents, dtype=np.float64))
    return np.concatenate(blocks)


def _shares(phi: FloatArray) -> FloatArray:
    clipped = np.maximum(phi, 0.0)
    total = clipped.sum(axis=1, keepdims=True)
    shares = np.full_like(clipped, np.nan)
    np.divide(clipped, total, out=shares, where=total > 0)
    return shares


def _share_bounds(
    low: FloatArray, high: FloatArray, phi: FloatArray, half_width: float, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Percentile bounds of each player's share; NaN where no resample has a positive value.

    A share is mine / (mine + the others' sum): it is least where mine is ``low`` and the others' sum is high.

    Args:
        low: each resample's values, shape (draws, players), as low as they may be.
        high: likewise, as high as they may be.
        phi: the resampled values themselves, which the others' sum is taken from.
        half_width: by which the others' sum may be off where it is the same in every resample.
        confidence: of the bounds.
    """
    clipped = np.maximum(phi, 0.0)
    total = clipped.sum(axis=1, keepdims=True)
    there = total[:, 0] > 0
    if not there.any():
        nothing = np.full(phi.shape[1], np.nan)
        return nothing, nothing
    others = (total - clipped)[there]
    slack = np.where(never_varies(others.T, float(total.max())), half_width, 0.0)
    least = _fraction(low[there], others + slack)
    most = _fraction(high[there], others - slack)
    return np.quantile(least, (1 - confidence) / 2, axis=0), np.quantile(most, (1 + confidence) / 2, axis=0)


def _fraction(mine: FloatArray, others: FloatArray) -> FloatArray:
    """Mine of the sum of both, clipped at 0; 0 where there is nothing to share."""
    part, rest = np.maximum(mine, 0.0), np.maximum(others, 0.0)
    fraction = np.zeros_like(part)
    np.divide(part, part + rest, out=fraction, where=part + rest > 0)
    return fraction


def _quantiles(values: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high


def _ranks(phi: FloatArray) -> NDArray[np.int64]:
    order = np.lexsort((np.arange(len(phi)), -phi))
    ranks = np.empty(len(phi), dtype=np.int64)
    ranks[order] = np.arange(1, len(phi) + 1)
    return ranks
