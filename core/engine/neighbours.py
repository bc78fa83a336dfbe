"""Keep a document that gives no number from spoiling its neighbours, the documents packed into the same row.

Attention gives the tokens of a neighbour the weight 0, but 0 times NaN or infinity is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.engine.packing import TokenRequest
from core.engine.scoring import Scores

Bundle = Sequence[TokenRequest]


def unspoiled(
    groups: Sequence[Sequence[Bundle]], scores: Scores, alone: Callable[[Sequence[Bundle], Sequence[int]], Scores]
) -> Scores:
    """Return scores in which a bundle lacks a number only if it has none in a row of its own.

    Args:
        groups: the bundles of requests of each row.
        scores: what the rows gave, one row's requests after the other's.
        alone: scores bundles, each in a row of its own, under the coalitions of these indices. It is called at most
            once, with what may be spoiled.
    """
    bundles = [bundle for group in groups for bundle in group]
    ends = np.cumsum([len(bundle) for bundle in bundles])
    assert ends[-1] == scores.logprobs.shape[1]
    parts = np.split(np.isnan(scores.logprobs), ends[:-1], axis=1)
    spoiled = np.stack([part.any(axis=1) for part in parts], axis=1)
    spoiled[:, [len(group) == 1 for group in groups for _ in group]] = False
    if not spoiled.any():
        return scores
    under, which = np.flatnonzero(spoiled.any(axis=1)), np.flatnonzero(spoiled.any(axis=0))
    found = alone([bundles[number] for number in which], under.tolist())
    logprobs, is_greedy = scores.logprobs.copy(), scores.is_greedy.copy()
    start = 0
    for number in which:
        size = len(bundles[number])
        here, there = slice(ends[number] - size, ends[number]), slice(start, start + size)
        bad = spoiled[under, number]
        logprobs[under[bad], here] = found.logprobs[bad, there]
        is_greedy[under[bad], here] = found.is_greedy[bad, there]
        start += size
    return Scores(logprobs, is_greedy)
