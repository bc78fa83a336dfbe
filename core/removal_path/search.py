"""A greedy removal path: take away what is missed least, again and again, looking anew each time.

The search is pure: it is given a function that evaluates coalitions. That a unit is missed least says what it is worth
beside those already gone, so the order is not that of an ablation, nor of Shapley values.

The score of a path that was chosen by a set of documents is too good on those documents: at each step the largest of
many noisy means is taken. Only other documents tell what the path costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.coalitions.players import Removed, removed_set
from core.coalitions.schedules import INTACT
from core.statistics.intervals import FloatArray

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Measured:
    """A coalition's outcomes: one array a task, each of shape (documents,), the same documents for every coalition.

    ``values`` are what the search keeps up, larger being better; ``gold_logprobs`` are natural logarithms of the right
    answer's probability, which breaks ties. NaN stands where a document has none; what is not finite counts as none.
    """

    values: tuple[FloatArray, ...]
    gold_logprobs: tuple[FloatArray, ...]


Evaluate = Callable[[Sequence[Removed]], Mapping[Removed, Measured]]
"""Evaluates coalitions of players, all of them in one go, as they share most of the work."""


@dataclass(frozen=True, slots=True)
class Step:
    """The path after ``number`` removals: ``unit`` went last (None at the beginning), ``removed`` are all players gone.

    It was the best of ``candidates``, of which ``tied`` had the same mean value, itself included.
    """

    number: int
    unit: int | None
    removed: Removed
    measured: Measured
    candidates: int
    tied: int


def greedy_path(evaluate: Evaluate, units: Sequence[Removed], steps: int) -> Iterator[Step]:
    """Remove the least important unit, ``steps`` times or until none is left; the first step is the intact model.

    At each step every unit that is left is tried. The one whose removal leaves the best mean value goes, the mean over
    tasks of the mean over documents. Few documents make ties: among the best the one with the best mean
    log-probability of the right answer goes, then the later one.

    Args:
        evaluate: called once a step; the first call holds the intact model too.
        units: the players of each unit, by number; they share none.
        steps: how many units to remove.
    """
    gone: Removed = ()
    left = list(range(len(units)))
    for number in range(1, steps + 1):
        if not left:
            return
        tried = {unit: removed_set((*gone, *units[unit])) for unit in left}
        wanted = list(tried.values())
        found = evaluate(wanted if number > 1 else [INTACT, *wanted])
        if number == 1:
            yield Step(0, None, INTACT, found[INTACT], 0, 0)
        unit, tied = _least_missed({unit: found[removed] for unit, removed in tried.items()})
        gone = tried[unit]
        left.remove(unit)
        yield Step(number, unit, gone, found[gone], len(tried), tied)


def largest_step_within(scores: Sequence[float], keep: float) -> int | None:
    """The last step that keeps so much of the intact score, or None where no removal does.

    Args:
        scores: by step, that of the intact model first.
        keep: the part to be kept, 0 to 1.
    """
    kept = [number for number, score in enumerate(scores) if number and score >= keep * scores[0] - _ROUNDING]
    return kept[-1] if kept else None


def _least_missed(candidates: Mapping[int, Measured]) -> tuple[int, int]:
    """The unit that goes, and how many have its mean value."""
    units = list(candidates)
    values = _means([candidates[unit].values for unit in units])
    logprobs = _means([candidates[unit].gold_logprobs for unit in units])
    tied = [at for at in range(len(units)) if values[at] >= values.max() - _ROUNDING]
    best = max(tied, key=lambda at: (logprobs[at], units[at]))
    return units[best], len(tied)


def _means(candidates: Sequence[tuple[FloatArray, ...]]) -> FloatArray:
    """Means over tasks of means over the documents that have a value under every candidate that has any.

    A candidate that has none has -inf; a task of which no candidate has any tells nothing, and is left out.
    """
    means = []
    for arrays in zip(*candidates, strict=True):
        matrix = np.stack(arrays)
        finite = np.isfinite(matrix)
        there = finite.any(axis=1)
        told = finite[there].all(axis=0)
        if there.any() and told.any():
            means.append(np.where(there, matrix[:, told].mean(axis=1), -np.inf))
    return np.asarray(np.mean(means, axis=0) if means else np.zeros(len(candidates)), dtype=np.float64)
