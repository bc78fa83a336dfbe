"""Resample the documents of each task, once for all players of a model, so that every statistic gets an interval.

A draw resamples every task's documents, independently of the other tasks. Within a task all players and the intact
model see the same resampled documents. So a mean over players or tasks is taken draw by draw, and its variance is
right.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.paper.values import ModelValues, TaskValues
from core.statistics.bootstrap import widened_means
from core.statistics.intervals import CONFIDENCE, FloatArray, never_varies, unseen_half_width, without_rounding
from core.statistics.student_t import student_half_width
from core.values.derived import derived_values

DRAWS = 1000
_POINT = 1e-12


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its 95 % interval, which encloses it. ``low`` and ``high`` are None if no interval can be given."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Draws:
    """Means over resampled documents, shape (draws, rows), and over the documents themselves, shape (rows,).

    ``unseen`` is how far the mean of a row may be off if the row is the same on every document, in the unit of the
    value: other documents may still differ. ``slack`` is that number for each row, and 0 if the row varies.
    ``documents`` is how many were resampled.
    """

    means: FloatArray
    resampled: FloatArray
    slack: FloatArray
    unseen: float
    documents: int


@dataclass(frozen=True, slots=True)
class AblationDraws:
    """A task's ablations: ``drops`` (intact - ablated) has a row per player, ``intact`` has the intact model's score.

    ``in_unit_range`` tells whether every score is within [0, 1] by definition, which a value in nats is not.
    """

    task: TaskValues
    drops: Draws
    intact: Draws
    in_unit_range: bool


@dataclass(frozen=True, slots=True)
class ShapleyDraws:
    """A task's Shapley values: ``phi``, unclipped, has a row per player."""

    task: TaskValues
    phi: Draws


@dataclass(frozen=True, slots=True)
class ModelDraws:
    """A model's resampled tasks: those with stored ablations, and those with enough coalitions for an estimate."""

    values: ModelValues
    ablations: tuple[AblationDraws, ...]
    shapley: tuple[ShapleyDraws, ...]


def resample(values: ModelValues, draws: int = DRAWS, seed: int = 0) -> ModelDraws:
    """Resample the documents of every task.

    Args:
        values: the values of one model.
        draws: how many resamples.
        seed: seed of the resamples; each task derives its own from it and its id.
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
    # Both are resampled in one call, so that a draw has the same documents for both.
    both = np.vstack([task.intact - task.ablated, task.intact])
    resampled = _resampled(both, task, draws, seed)
    scores = np.vstack([task.intact, task.ablated])
    unit = task.value not in derived_values() and bool(((scores >= 0) & (scores <= 1)).all())
    return AblationDraws(task, _draws(both[:-1], resampled[:, :-1]), _draws(both[-1:], resampled[:, -1:]), unit)


def _shapley(task: TaskValues, draws: int, seed: int) -> ShapleyDraws | None:
    if task.contributions is None:
        return None
    return ShapleyDraws(task, _draws(task.contributions, _resampled(task.contributions, task, draws, seed)))


def _resampled(rows: FloatArray, task: TaskValues, draws: int, seed: int) -> FloatArray:
    """Return means of resamples, widened as Student's t requires for the number of documents.

    This is the expanded percentile bootstrap (Hesterberg 2015, "What teachers should know about the bootstrap").
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
    """Return the interval of a statistic from its resamples, centred on the estimate.

    If a statistic is not linear in the documents (a clipped mean, a share of the largest), its resamples carry the
    noise of the documents twice, and lie to one side of the estimate. The interval keeps their variance but not their
    shift. It says what other samples of as many documents would give, not what infinitely many would.

    Args:
        estimate: the statistic of the documents themselves.
        draws: the same statistic of each resample.
        slack: added on either side if the resamples would leave a single point, because no variation is not certainty.
        least: smallest possible value of the statistic.
        most: largest possible value of the statistic.
    """
    estimate = min(max(estimate, least), most)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    shift = estimate - float(draws.mean())
    below, above = max(min(estimate, low + shift), least), min(max(estimate, high + shift), most)
    if above - below <= _POINT:
        below, above = max(below - slack, least), min(above + slack, most)
    return Measured(estimate, float(below), float(above))


def simultaneous(estimates: FloatArray, draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return intervals that hold for all rows at once, from the bootstrap of the largest deviation.

    The half-width of each row is its standard error times a quantile: that of the largest deviation among all rows, in
    standard errors, over resamples (single-step max-t, Romano and Wolf 2005). Rows that never vary have zero width.

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
