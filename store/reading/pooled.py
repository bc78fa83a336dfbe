"""Values of a group of results, and those of several tasks put together as lm-eval puts a group together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.estimators.question import Scores
from core.records.draw import Draw
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio


@dataclass(frozen=True, slots=True)
class Values:
    """One value of a group by removed set. ``choices`` counts each document's choices, shape (documents,).

    ``ratio`` says how the documents make a value of their corpus (``core.values.corpus``), of which ``scores`` has
    their gains. It is None for a mean over documents.

    ``places`` has numbers that tell the documents apart, the same for each value: a document's doc_id times 2^32, and
    its own number. It is None for documents of several tasks.

    ``without`` says which documents lack the value under a removed set that they were evaluated under, shape
    (documents,). They decide nothing. It is None if none does.

    For a derived value, ``lacking`` counts documents without it: they have several right answers, or no choices.
    ``not_finite`` counts documents that are left out because their value is not finite under some removed set.
    """

    scores: Scores
    choices: FloatArray
    lacking: int = 0
    not_finite: int = 0
    places: NDArray[np.int64] | None = None
    ratio: Ratio | None = None
    without: NDArray[np.bool_] | None = None

    def at(self, places: NDArray[np.int64]) -> Values:
        """Return the values of the documents with these numbers."""
        assert self.places is not None
        kept = np.isin(self.places, places)
        scores = {removed: values[kept] for removed, values in self.scores.items()}
        ratio = None if self.ratio is None else self.ratio.at(kept)
        without = None if self.without is None else self.without[kept]
        choices, own = self.choices[kept], self.places[kept]
        return replace(self, scores=scores, choices=choices, places=own, ratio=ratio, without=without)

    def order(self, draw: Draw) -> NDArray[np.intp]:
        """Return where each document that decides stands, the one drawn first first."""
        assert self.places is not None
        order = draw.order(self.places >> 32)
        return order if self.without is None else np.asarray(order[~self.without[order]])


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
