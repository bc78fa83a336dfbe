"""Turn a removal path into rows: its score by step with intervals, on the documents that chose it and on others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.coalitions.grouping import Grouping
from core.errors import CornerstoneError
from core.removal_path.search import Measured, Step
from core.statistics.intervals import FloatArray, mean_interval, paired_drop

Documents = Literal["chosen by these", "held out"]
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PathRow:
    """One step of a path on one task, or on several: then the means over tasks, ``n`` counting all documents.

    ``label`` names what the step removed (null for the intact model), the best of ``candidates``, ``tied`` of which
    had its score; ``removed`` are all players gone by then. ``documents`` tells those that chose the path, on which
    its score is too good, from those held out. Score and ``drop`` = intact - score (paired) are of the metric that
    ``value`` names; their intervals are of 95%. ``gold_logprob`` is the right answer's mean log-probability.
    """

    model: str
    tasks: tuple[str, ...]
    value: str
    documents: Documents
    players: str
    step: int
    label: str | None
    removed: tuple[int, ...]
    n: int
    intact: float
    score: float
    score_low: float | None
    score_high: float | None
    drop: float
    drop_low: float
    drop_high: float
    gold_logprob: float | None
    chance: float | None
    candidates: int
    tied: int
    parameters_removed: int
    parameters_total: int
    model_id: str


@dataclass(frozen=True, slots=True)
class PathContext:
    """The common part of a path's rows: model, tasks, value and grouping.

    ``chances`` are by task. ``parameters`` returns, for players removed, how many parameters that removes, and of how
    many.
    """

    model: str
    model_id: str
    tasks: tuple[str, ...]
    value: str
    grouping: Grouping
    chances: tuple[float | None, ...]
    parameters: Callable[[tuple[int, ...]], tuple[int, int]]


def path_rows(
    steps: Sequence[Step], measured: Sequence[Measured], documents: Documents, context: PathContext, intact: Measured
) -> list[PathRow]:
    """Return one row for each step and task and, where there are several tasks, one for their means.

    Args:
        steps: the steps of the path.
        measured: the outcomes of each step.
        documents: whether their documents chose the path or were held out.
        context: the common part of all rows.
        intact: the intact model's outcomes on the same documents.

    Returns:
        Rows by step, the means of several tasks last.

    Raises:
        CornerstoneError: at some step no document of a task has a value.
    """
    sets: list[tuple[int, ...]] = [(at,) for at in range(len(context.tasks))]
    if len(context.tasks) > 1:
        sets.append(tuple(range(len(context.tasks))))
    return [
        _row(step, found, intact, documents, context, tasks)
        for step, found in zip(steps, measured, strict=True)
        for tasks in sets
    ]


def _row(
    step: Step, found: Measured, intact: Measured, documents: Documents, context: PathContext, tasks: tuple[int, ...]
) -> PathRow:
    pairs = list(_pairs(found, intact, tasks))
    if not all(len(before) for before, _ in pairs):
        what = "the intact model" if step.unit is None else f"step {step.number} ({context.grouping.labels[step.unit]})"
        raise CornerstoneError(f"no document has a {context.value} that is a number at {what}; choose another value")
    drops = [paired_drop(before, after) for before, after in pairs]
    scores = [float(after.mean()) for _, after in pairs]
    drop, (drop_low, drop_high) = mean_of_means([(d.drop, (d.low, d.high)) for d in drops])
    intervals = [interval for _, after in pairs if (interval := mean_interval(after)) is not None]
    bounds: tuple[float | None, float | None] = (None, None)
    if len(intervals) == len(scores):
        _, bounds = mean_of_means(list(zip(scores, intervals, strict=True)))
    chances = [context.chances[at] for at in tasks]
    removed, total = context.parameters(step.removed)
    return PathRow(
        model=context.model,
        tasks=tuple(context.tasks[at] for at in tasks),
        value=context.value,
        documents=documents,
        players=context.grouping.name,
        step=step.number,
        label=None if step.unit is None else context.grouping.labels[step.unit],
        removed=step.removed,
        n=sum(d.n for d in drops),
        intact=float(np.mean([before.mean() for before, _ in pairs])),
        score=float(np.mean(scores)),
        score_low=bounds[0],
        score_high=bounds[1],
        drop=drop,
        drop_low=drop_low,
        drop_high=drop_high,
        gold_logprob=_known_mean([found.gold_logprobs[at] for at in tasks]),
        chance=None if None in chances else float(np.mean([chance for chance in chances if chance is not None])),
        candidates=step.candidates,
        tied=step.tied,
        parameters_removed=removed,
        parameters_total=total,
        model_id=context.model_id,
    )


def mean_of_means(parts: Sequence[tuple[float, Bounds]]) -> tuple[float, Bounds]:
    """Return the mean of independent estimates, each with its interval, and an interval of the mean.

    The bounds are recovered from those of the parts, which need not be symmetric: the mean less the root of the summed
    squares of what each part may be too large, and likewise above (Zou and Donner 2008, "Construction of confidence
    limits about effect measures: a general approach").
    """
    mean = math.fsum(estimate for estimate, _ in parts) / len(parts)
    below = math.sqrt(math.fsum((estimate - low) ** 2 for estimate, (low, _) in parts)) / len(parts)
    above = math.sqrt(math.fsum((high - estimate) ** 2 for estimate, (_, high) in parts)) / len(parts)
    return mean, (mean - below, mean + above)


def _pairs(found: Measured, intact: Measured, tasks: Sequence[int]) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield each task's values, intact and under the coalition, of the documents that have both."""
    for at in tasks:
        before, after = intact.values[at], found.values[at]
        both = np.isfinite(before) & np.isfinite(after)
        yield before[both], after[both]


def _known_mean(arrays: Sequence[FloatArray]) -> float | None:
    known = [array[np.isfinite(array)] for array in arrays]
    return None if any(len(array) == 0 for array in known) else float(np.mean([array.mean() for array in known]))
