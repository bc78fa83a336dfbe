"""The documents of each task drawn again, once for all of a model's players: what is made of them has an interval.

A draw resamples every task's documents, independently of the other tasks'. Within a task all players and the intact
model see the same resampled documents. So a mean over players or tasks is taken draw by draw, and its spread is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.paper.values import ModelValues, TaskValues
from core.statistics.bootstrap import widened_means
from core.statistics.intervals import CONFIDENCE, FloatArray, never_varies, unseen_half_width, without_rounding
from core.statistics.student_t import student_half_width
from core.values.derived import DERIVED

DRAWS = 1000
_POINT = 1e-12


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its 95 % interval, which holds it. ``low`` and ``high`` are None where no interval is to be had."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Draws:
    """Means over resampled documents, shape (draws, rows), and those over the documents themselves, shape (rows,).

    ``unseen`` is by how much a row may be off that is the same on every document, in the value's own unit: what varies
    in no document seen may still do so in others. ``slack`` is that of each row, 0 where it varies. ``documents`` were
    resampled.
    """

    means: FloatArray
    resampled: FloatArray
    slack: FloatArray
    unseen: float
    documents: int


@dataclass(frozen=True, slots=True)
class AblationDraws:
    """A task's ablations: ``drops`` (intact - ablated) has a row a player, ``intact`` the intact model's score alone.

    ``in_unit_range`` tells whether every score is within [0, 1], and could not but be: one in nats could.
    """

    task: TaskValues
    drops: Draws
    intact: Draws
    in_unit_range: bool


@dataclass(frozen=True, slots=True)
class ShapleyDraws:
    """A task's Shapley values: ``phi``, unclipped, has a row a player."""

    task: TaskValues
    phi: Draws


@dataclass(frozen=True, slots=True)
class ModelDraws:
    """A model's tasks, resampled: those of which ablations are stored, and those of which an estimate can be made."""

    values: ModelValues
    ablations: tuple[AblationDraws, ...]
    shapley: tuple[ShapleyDraws, ...]


def resample(values: ModelValues, draws: int = DRAWS, seed: int = 0) -> ModelDraws:
    """Draw the documents of every task again.

    Args:
        values: of one model.
        draws: how many resamples.
        seed: of the resamples; each task has its own from it and its id.
    """
    ablations = (_ablation(task, draws, seed) for task in values.tasks)
    estimates = (_shapley(task, draws, seed) for task in values.tasks)
    return ModelDraws(
        values,
        tuple(each for each in ablations if each is not None),
        tuple(each for each in estimates if each is not None),
    )


def _ablation(task: TaskValues, draws: int, seed: int) -> AblationDraws | None:
    if task.intact is None or task.ablated is None:
        return None
    # Drawn together, so that a draw of both is of the same documents.
    both = np.vstack([task.intact - task.ablated, task.intact])
    resampled = _resampled(both, task, draws, seed)
    scores = np.vstack([task.intact, task.ablated])
    unit = task.value not in DERIVED and bool(((scores >= 0) & (scores <= 1)).all())
    return AblationDraws(task, _draws(both[:-1], resampled[:, :-1]), _draws(both[-1:], resampled[:, -1:]), unit)


def _shapley(task: TaskValues, draws: int, seed: int) -> ShapleyDraws | None:
    if task.contributions is None:
        return None
    return ShapleyDraws(task, _draws(task.contributions, _resampled(task.contributions, task, draws, seed)))


def _resampled(rows: FloatArray, task: TaskValues, draws: int, seed: int) -> FloatArray:
    """Means of resamples, as far from the mean as Student's t takes those of so few documents to be.

    It is the expanded percentile bootstrap (Hesterberg 2015, "What teachers should know about the bootstrap").
    """
    freedom = np.array(float(max(rows.shape[1] - 1, 1)))
    reach = float(student_half_width(CONFIDENCE, freedom)) / NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return widened_means(rows, draws, np.random.default_rng([seed, *task.task_id.encode()]), reach=reach)


def _draws(rows: FloatArray, resampled: FloatArray) -> Draws:
    scale, unseen = float(np.abs(rows).max()), unseen_half_width(rows)
    return Draws(
        without_rounding(rows.mean(axis=1), scale),
        without_rounding(resampled, scale),
        np.where(never_varies(rows, scale), unseen, 0.0),
        unseen,
        rows.shape[1],
    )


def measured(
    estimate: float, draws: FloatArray, *, slack: float = 0.0, least: float = -np.inf, most: float = np.inf
) -> Measured:
    """The interval of a statistic from its resamples, centred on the estimate.

    Where a statistic is not linear in the documents (a clipped mean, a share of the largest), its resamples carry the
    noise of the documents twice and lie to one side of the estimate. Their spread is kept, their shift is not: the
    interval says what other samples of as many documents would give, not what infinitely many would.

    Args:
        estimate: from the documents themselves.
        draws: the same statistic of each resample.
        slack: added on either side where the resamples would leave the interval a point: not to have varied is not to
            be certain.
        least: bound of the statistic.
        most: likewise.
    """
    estimate = min(max(estimate, least), most)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    shift = estimate - float(draws.mean())
    below, above = max(min(estimate, low + shift), least), min(max(estimate, high + shift), most)
    if above - below <= _POINT:
        below, above = max(below - slack, least), min(above + slack, most)
    return Measured(estimate, float(below), float(above))


def simultaneous(estimates: FloatArray, draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Intervals that hold for all rows at once, with the same probability: the bootstrap of the largest deviation.

    The half-width of each row is its standard error times the quantile, over resamples, of the largest deviation in
    standard errors among all rows (single-step max-t, Romano and Wolf 2005). Rows that never vary have zero width.

    Args:
        estimates: shape (rows,).
        draws: the resamples, shape (draws, rows).
    """
    deviations = draws - draws.mean(axis=0)
    se = deviations.std(axis=0)
    varying = se > _POINT
    if not varying.any():
        return estimates, estimates
    largest = np.abs(deviations[:, varying] / se[varying]).max(axis=1)
    half = np.where(varying, se, 0.0) * float(np.quantile(largest, CONFIDENCE))
    return estimates - half, estimates + half
