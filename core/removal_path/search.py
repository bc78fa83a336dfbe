"""Greedy removal path: remove the unit that is missed least, again and again, evaluating all others anew each time.

The search is pure: it calls a function that evaluates coalitions. The least missed unit is judged beside those already
removed, so the order differs from that of an ablation or of Shapley values.

The score of a path is too good on the documents that chose it, because each step takes the largest of many noisy means.
Only other documents show what the path costs.
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
    """The outcomes of a coalition: one array per task, each of shape (documents,).

    All coalitions have the same documents. ``values`` are what the search maximizes. ``gold_logprobs`` are natural
    logarithms of the right answer's probability, which break ties. NaN means that a document has no value; other
    non-finite numbers count as NaN.
    """

    values: tuple[FloatArray, ...]
    gold_logprobs: tuple[FloatArray, ...]


Evaluate = Callable[[Sequence[Removed]], Mapping[Removed, Measured]]
"""Evaluates coalitions of players, all in one call, because they share most of the work."""


@dataclass(frozen=True, slots=True)
class Step:
    """The path after ``number`` removals.

    ``unit`` was removed last (None at the beginning), and ``removed`` are all players removed so far. The unit was the
    best of ``candidates``, of which ``tied`` had the same mean value, itself included.
    """

    number: int
    unit: int | None
    removed: Removed
    measured: Measured
    candidates: int
    tied: int


def greedy_path(evaluate: Evaluate, units: Sequence[Removed], steps: int) -> Iterator[Step]:
    """Remove the least missed unit, ``steps`` times or until none is left; the first step is the intact model.

    Each step tries every unit that is left, and removes the one that leaves the best mean value: the mean over tasks of
    the mean over documents. With few documents, units tie. Among the best, the one with the best mean log-probability
    of the right answer is removed, and then the later one.

    Args:
        evaluate: called once per step; the first call includes the intact model.
        units: the players of each unit, by number; no two units share a player.
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
    """Return the last step that keeps enough of the intact score, or None if no removal does.

    Args:
        scores: the score at each step, that of the intact model first.
        keep: the fraction to keep, 0 to 1.
    """
    kept = [number for number, score in enumerate(scores) if number and score >= keep * scores[0] - _ROUNDING]
    return kept[-1] if kept else None


def _least_missed(candidates: Mapping[int, Measured]) -> tuple[int, int]:
    """Return the unit to remove, and how many units have its mean value."""
    units = list(candidates)
    values = _means([candidates[unit].values for unit in units])
    logprobs = _means([candidates[unit].gold_logprobs for unit in units])
    tied = [at for at in range(len(units)) if values[at] >= values.max() - _ROUNDING]
    best = max(tied, key=lambda at: (logprobs[at], units[at]))
    return units[best], len(tied)


def _means(candidates: Sequence[tuple[FloatArray, ...]]) -> FloatArray:
    """Return means over tasks of means over the documents that have a value under every candidate with any value.

    A candidate without any value has -inf. A task in which no candidate has a value is left out.
    """
    means = []
    for arrays in zip(*candidates, strict=True):
        matrix = np.stack(arrays)
        finite = np.isfinite(matrix)
        has_values = finite.any(axis=1)
        complete = finite[has_values].all(axis=0)
        if has_values.any() and complete.any():
            means.append(np.where(has_values, matrix[:, complete].mean(axis=1), -np.inf))
    return np.asarray(np.mean(means, axis=0) if means else np.zeros(len(candidates)), dtype=np.float64)
