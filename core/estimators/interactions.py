"""Interactions: the drop of neighbouring players together, against the sum of their single drops.

With the drop d(S) = v(N) - v(N minus S), a window S has the effect

    I(S) = sum of d({i}) over i in S  -  d(S).

For two players it is v(N) - v(N\\i) - v(N\\j) + v(N\\ij), the discrete second derivative at the whole model: that term
of the Shapley interaction index (Grabisch and Roubens 1999, "An axiomatic approach to the concept of interaction among
players in cooperative games") in which every other player is there. For longer windows it is minus the sum of the
Harsanyi dividends (1963) of the game d over all subsets of S with two players or more: all that S loses beyond its
members' own drops, with the sign turned. (Higher derivatives by themselves need coalitions with gaps, no windows.)

- I < 0: they **back each other up**. Together they cost more than the sum: one does the work of another that is gone.
- I > 0: they **need each other**. Together they cost less than the sum: with one gone, the other's work is lost too.
  So it is for two cornerstones that each bring the model down to chance.
- I = 0 in an additive game.

Two things to know when reading many of them. A score cannot fall below its floor, and a document that any removal tips
is counted once for each member but once for the window: both make I larger, so a small I > 0 is common. And all windows
share the intact model's outcomes, so that their errors go together; an interval is for one window by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT, windows
from core.errors import CornerstoneError
from core.statistics.intervals import CONFIDENCE, FloatArray, t_interval


@dataclass(frozen=True, slots=True)
class Interaction:
    """The effect I of the window of ``size`` players from number ``first`` on, over ``n`` documents.

    ``joint_drop`` = d(window). The sum of the members' single drops is ``effect`` + ``joint_drop``.
    """

    first: int
    size: int
    n: int
    effect: float
    low: float
    high: float
    joint_drop: float


def interactions(
    outcomes: Mapping[Removed, FloatArray], players: int, max_removed: int, *, confidence: float = CONFIDENCE
) -> list[Interaction]:
    """Return the effect of every window of 2..``max_removed`` players, by size and then by first player.

    Args:
        outcomes: values by removed set, every window of up to ``max_removed`` players and the intact model among them;
            arrays of shape (documents,), of the same documents in the same order.
        players: the number of players of the model.
        max_removed: the longest window.
        confidence: of the intervals, each of which is for one window by itself.

    Raises:
        CornerstoneError: no window has two players, coalitions are missing, or there is no document.
    """
    if max_removed < 2:
        raise CornerstoneError(f"interactions need windows of at least 2 players, not {max_removed}")
    wanted = windows(players, max_removed)
    missing = sum(removed not in outcomes for removed in wanted)
    if missing:
        raise CornerstoneError(f"interactions need {missing} more coalitions (windows of up to {max_removed})")
    if not len(outcomes[INTACT]):
        raise CornerstoneError("interactions need at least one document that all coalitions have")
    bounded = all(bool(((outcomes[removed] >= 0) & (outcomes[removed] <= 1)).all()) for removed in wanted)
    return list(_interactions(outcomes, [removed for removed in wanted if len(removed) > 1], bounded, confidence))


def _interactions(
    outcomes: Mapping[Removed, FloatArray], of: list[Removed], bounded: bool, confidence: float
) -> Iterator[Interaction]:
    intact = outcomes[INTACT]
    for window in of:
        joint = intact - outcomes[window]
        # An effect is a mean over documents, so its interval is of the documents' own effects: paired.
        effects = np.sum([intact - outcomes[(player,)] for player in window], axis=0) - joint
        scale = max(1.0, float(np.abs(intact).max()), float(np.abs(outcomes[window]).max()))
        low, high = _interval(effects, len(window), bounded, scale, confidence)
        effect = float(effects.mean())
        yield Interaction(
            first=window[0],
            size=len(window),
            n=len(effects),
            effect=effect,
            low=min(low, effect),
            high=max(high, effect),
            joint_drop=float(joint.mean()),
        )


def _interval(effects: FloatArray, size: int, bounded: bool, scale: float, confidence: float) -> tuple[float, float]:
    """Return an interval for the mean of the documents' effects, never of zero width.

    For scores in [0, 1] two invented documents are added, with effects of k - 1 and 1 - k for k players. The first is
    the effect of a document that the removal of any of the players makes wrong. For pairs this is the adjusted Wald
    interval of Bonett and Price (2012) for paired proportions, which covers well if few documents differ. An effect is
    within [-k, k]. For other values the interval is ``core.statistics.intervals.t_interval``.
    """
    if not bounded:
        (low,), (high,) = t_interval(effects[None], confidence, scale)
        return float(low), float(high)
    adjusted = np.concatenate([effects, [size - 1.0, 1.0 - size]])
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle, half = float(adjusted.mean()), z * float(adjusted.std()) / math.sqrt(len(adjusted))
    return max(middle - half, -float(size)), min(middle + half, float(size))
