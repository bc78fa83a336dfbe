"""Tables 3 and 4: how much is lost without one cornerstone, or without one of the other players.

For each task and player, the drop is intact minus ablated over the same documents. The paper clips it: a gain counts as
0, so noise may count as a drop. The mean is taken over players, then over tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.paper.resampling import AblationDraws, Measured, measured


@dataclass(frozen=True, slots=True)
class MeanDrop:
    """A mean drop, clipped (as in the paper) and unclipped."""

    clipped: Measured
    unclipped: Measured


def mean_drop(tasks: Sequence[AblationDraws], players: Collection[int]) -> MeanDrop | None:
    """Return the mean over tasks of each task's mean over players; None without a task or a player."""
    drops, chosen = [task.drops for task in tasks], sorted(players)
    if not drops or not chosen:
        return None
    slack = float(np.mean([each.unseen for each in drops]))
    # A metric outside [0, 1] may fall by more than 1.
    most = 1.0 if all(task.in_unit_range for task in tasks) else np.inf

    def mean(floor: float) -> Measured:
        estimate = np.mean([np.maximum(each.means[chosen], floor).mean() for each in drops])
        resampled = [np.maximum(each.resampled[:, chosen], floor).mean(axis=1) for each in drops]
        draws = np.asarray(np.mean(resampled, axis=0))
        return measured(float(estimate), draws, slack=slack, least=max(floor, -most), most=most)

    clipped, unclipped = mean(0.0), mean(-np.inf)
    # A clipped mean is never below the unclipped one. If every resample is clipped, its own bound would be too low.
    high = max(clipped.high or 0.0, unclipped.high or 0.0)
    return MeanDrop(Measured(clipped.estimate, clipped.low, high), unclipped)
