"""Values of a group of results, and those of several tasks put together as lm-eval puts a group together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.estimators.question import Scores
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class Values:
    """One value of a group by removed set. ``choices`` counts each document's choices, shape (documents,).

    For a derived value, ``lacking`` counts documents without it: they have several right answers, or no choices.
    ``not_finite`` counts documents that are left out because their value is not finite under some removed set.
    """

    scores: Scores
    choices: FloatArray
    lacking: int = 0
    not_finite: int = 0


def pooled(parts: Sequence[Values], *, by_size: bool) -> Values:
    """Return the documents of several tasks as those of one, whose mean is the score that lm-eval gives their group.

    A removed set counts where each task has documents under it.

    Args:
        parts: the values of each task.
        by_size: weigh tasks by their documents: the mean over all documents. Otherwise tasks weigh alike: the mean of
            their means, for which each document's value is scaled; documents then count that have all removed sets.
    """
    sets = [removed for removed in parts[0].scores if all(_has(part, removed) for part in parts)] if parts else []
    lacking, not_finite = sum(part.lacking for part in parts), sum(part.not_finite for part in parts)
    if not sets:
        return Values({}, np.empty(0), lacking, not_finite)
    each = [np.stack([part.scores[removed] for removed in sets]) for part in parts]
    choices = [part.choices for part in parts]
    if not by_size:
        whole = [~np.isnan(matrix).any(axis=0) for matrix in each]
        counts = [int(one.sum()) for one in whole]
        if 0 in counts:
            return Values({}, np.empty(0), lacking, not_finite)
        alike = [sum(counts) / (len(parts) * count) for count in counts]
        each = [matrix[:, kept] * scale for matrix, kept, scale in zip(each, whole, alike, strict=True)]
        choices = _known([one[kept] for one, kept in zip(choices, whole, strict=True)], alike)
    matrix = np.concatenate(each, axis=1)
    return Values(dict(zip(sets, matrix, strict=True)), np.concatenate(choices), lacking, not_finite)


def _has(part: Values, removed: tuple[int, ...]) -> bool:
    return removed in part.scores and not bool(np.isnan(part.scores[removed]).all())


def _known(choices: list[FloatArray], scales: list[float]) -> list[FloatArray]:
    """Return numbers of choices that tell chance; NaN where documents with other numbers weigh otherwise."""
    every = np.concatenate(choices)
    told = len(set(scales)) == 1 or np.ptp(every) == 0
    return choices if told else [np.full(len(one), np.nan) for one in choices]
