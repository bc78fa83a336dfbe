"""Table 1 and Figure 2: the share of the largest Shapley values in the sum of all.

The paper clips negative values to 0 before it takes shares. Noise in every player's value makes the clipped sum grow,
so with few documents the clipped share of the largest is too small. The unclipped share is not, but its interval is
wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.paper.resampling import Draws, Measured, ShapleyDraws, measured
from core.statistics.intervals import CONFIDENCE, FloatArray
from core.statistics.ranks import leading
from core.statistics.shares import shares

TOP = 3
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class TopShare:
    """The share of the largest values, and the ``players`` that have them, largest first.

    There are fewer players if fewer have a positive value, so that none is named only because it is early among zeros.
    ``clipped`` is None if no value is positive, and ``unclipped`` if their sum is not positive. An unclipped share has
    no bounds if the sum of values might be 0.
    """

    players: tuple[int, ...]
    clipped: Measured | None
    unclipped: Measured | None


def top_share(tasks: Sequence[ShapleyDraws], top: int = TOP) -> TopShare:
    """Return the mean over tasks of the share of each task's own top (the paper's order, as far as it says).

    There is at least one task. ``players`` are those of the largest mean share. Tasks without a positive value have no
    share and do not enter the mean.
    """
    draws = [task.phi for task in tasks]
    return TopShare(
        players=leading(mean_shares(draws), top),
        clipped=_mean([_clipped(phi, top) for phi in draws], least=0.0, most=1.0),
        unclipped=_mean([_unclipped(phi, top) for phi in draws]),
    )


def pooled_share(tasks: Sequence[ShapleyDraws], top: int = TOP) -> TopShare:
    """Average the values over tasks first, and return the share of the top of those averages."""
    draws = [task.phi for task in tasks]
    phi = Draws(
        means=np.mean([each.means for each in draws], axis=0),
        resampled=np.mean([each.resampled for each in draws], axis=0),
        slack=np.mean([each.slack for each in draws], axis=0),
        unseen=max(each.unseen for each in draws),
        documents=min(each.documents for each in draws),
    )
    return TopShare(
        players=leading(phi.means, top),
        clipped=_mean([_clipped(phi, top)], least=0.0, most=1.0),
        unclipped=_mean([_unclipped(phi, top)]),
    )


def known_shares(phi: FloatArray) -> FloatArray:
    """Return shares along the last axis; all 0 where no value is positive."""
    return np.nan_to_num(shares(phi), nan=0.0)


def mean_shares(draws: Sequence[Draws]) -> FloatArray:
    """Return each player's share, averaged over tasks, shape (players,)."""
    return np.asarray(np.mean([known_shares(phi.means) for phi in draws], axis=0))


@dataclass(frozen=True, slots=True)
class _Ratio:
    """A share, its resamples (None if it has no bounds), and how far it may be off if it never varied."""

    share: float
    resampled: FloatArray | None
    slack: float


def _mean(ratios: Sequence[_Ratio | None], *, least: float = -np.inf, most: float = np.inf) -> Measured | None:
    there = [ratio for ratio in ratios if ratio is not None]
    if not there:
        return None
    estimate = float(np.mean([ratio.share for ratio in there]))
    resampled = [ratio.resampled for ratio in there if ratio.resampled is not None]
    if len(resampled) < len(there):
        return Measured(estimate, None, None)
    slack = float(np.mean([ratio.slack for ratio in there]))
    return measured(estimate, np.asarray(np.mean(resampled, axis=0)), slack=slack, least=least, most=most)


def _clipped(phi: Draws, top: int) -> _Ratio | None:
    means, resampled = np.maximum(phi.means, 0.0), np.maximum(phi.resampled, 0.0)
    return _ratio(means, resampled, top, phi.unseen) if means.sum() > 0 else None


def _unclipped(phi: Draws, top: int) -> _Ratio | None:
    if phi.means.sum() <= _ROUNDING * np.abs(phi.means).sum():
        return None
    ratio = _ratio(phi.means, phi.resampled, top, phi.unseen)
    may_be_zero = (phi.resampled.sum(axis=1) <= 0).mean() > (1 - CONFIDENCE) / 2
    return _Ratio(ratio.share, None, 0.0) if may_be_zero else ratio


def _ratio(means: FloatArray, resampled: FloatArray, top: int, unseen: float) -> _Ratio:
    total, totals = float(means.sum()), resampled.sum(axis=1)
    share = float(_top(means, top)) / total
    fractions = np.full(len(totals), share)
    np.divide(_top(resampled, top), totals, out=fractions, where=totals > 0)
    return _Ratio(share, fractions, top * unseen / total)


def _top(values: FloatArray, top: int) -> FloatArray:
    return np.asarray(np.sort(values, axis=-1)[..., -top:].sum(axis=-1))
