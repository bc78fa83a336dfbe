"""Tables 3 and 4: how much removing one cornerstone, or one of the other players, costs.

Of each task and player: the drop, intact minus ablated, over the same documents. The paper clips it: what a removal
gains counts as 0, which lets noise count as a drop. Then the mean over players, then over tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.paper.resampling import AblationDraws, Measured, measured


@dataclass(frozen=True, slots=True)
class MeanDrop:
    """A mean drop, clipped (the paper's) and unclipped."""

    clipped: Measured
    unclipped: Measured


def mean_drop(tasks: Sequence[AblationDraws], players: Collection[int]) -> MeanDrop | None:
    """The mean over tasks of each task's mean over players; None where there is no task or no player."""
    drops, chosen = [task.drops for task in tasks], sorted(players)
    if not drops or not chosen:
        return None
    slack = float(np.mean([each.unseen for each in drops]))
    # A metric that is no score in [0, 1] may fall by more than 1.
    most = 1.0 if all(task.in_unit_range for task in tasks) else np.inf

    def mean(floor: float) -> Measured:
        estimate = np.mean([np.maximum(each.means[chosen], floor).mean() for each in drops])
        resampled = [np.maximum(each.resampled[:, chosen], floor).mean(axis=1) for each in drops]
        draws = np.asarray(np.mean(resampled, axis=0))
        return measured(float(estimate), draws, slack=slack, least=max(floor, -most), most=most)

    clipped, unclipped = mean(0.0), mean(-np.inf)
    # Of no sample is the clipped mean the smaller one; where every resample is clipped it would seem certain.
    high = max(clipped.high or 0.0, unclipped.high or 0.0)
    return MeanDrop(Measured(clipped.estimate, clipped.low, high), unclipped)
