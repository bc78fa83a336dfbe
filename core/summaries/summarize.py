"""Summarize scores and estimates as points, one per player, coalition or unit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import Grouping
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import INTACT
from core.estimators.estimate import Estimate
from core.estimators.estimator import Outcomes
from core.estimators.question import Scores
from core.statistics.intervals import FloatArray, mean_interval, mean_se, paired_drop
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint
from core.values.derived import is_accuracy


def ablation_points(
    scores: Scores, choices: FloatArray, players: Sequence[Player], value: str
) -> Iterator[AblationPoint]:
    """Yield a point for every player that shares a document with the intact model.

    Args:
        scores: the scores of one task.
        choices: how many choices each document has, shape (documents,).
        players: the model's players.
        value: the name of the value that the scores hold.
    """
    intact = scores.get(INTACT)
    for player in players:
        ablated = scores.get((player.number,))
        if intact is None or ablated is None:
            continue
        both = ~np.isnan(intact) & ~np.isnan(ablated)
        if not both.any():
            continue
        drop = paired_drop(intact[both], ablated[both])
        yield AblationPoint(
            player=player.number,
            label=player.label,
            layer=player.layer,
            kind=player.kind,
            n=drop.n,
            acc=float(ablated[both].mean()),
            acc_se=mean_se(ablated[both]),
            intact_acc=float(intact[both].mean()),
            drop=drop.drop,
            drop_low=drop.low,
            drop_high=drop.high,
            chance=chance_of(choices[both], value),
            p_value=drop.p_value,
        )


def coalition_point(scores: Scores, removed: Removed) -> CoalitionPoint | None:
    """Return the point of a coalition, or None if none of its documents was evaluated."""
    values = scores.get(removed)
    if values is None or np.isnan(values).all():
        return None
    evaluated = ~np.isnan(values)
    intact = scores.get(INTACT)
    both = evaluated & ~np.isnan(intact) if intact is not None else np.zeros_like(evaluated)
    interval = mean_interval(values[evaluated])
    drop = paired_drop(intact[both], values[both]) if intact is not None and both.any() else None
    return CoalitionPoint(
        removed=removed,
        n=int(evaluated.sum()),
        acc=float(values[evaluated].mean()),
        acc_se=mean_se(values[evaluated]),
        acc_low=None if interval is None else interval[0],
        acc_high=None if interval is None else interval[1],
        intact_acc=None if drop is None or intact is None else float(intact[both].mean()),
        drop=None if drop is None else drop.drop,
        drop_low=None if drop is None else drop.low,
        drop_high=None if drop is None else drop.high,
        changed=None if drop is None or intact is None else int((intact[both] != values[both]).sum()),
    )


def shapley_points(estimate: Estimate, grouping: Grouping) -> Iterator[ShapleyPoint]:
    """Yield a point for each unit of an estimate."""
    for at, unit in enumerate(grouping.units):
        yield ShapleyPoint(
            player=at,
            label=unit.label,
            layer=unit.layer,
            kind=unit.kind,
            phi=float(estimate.phi[at]),
            phi_clipped=float(estimate.phi_clipped[at]),
            se=_defined(estimate.se[at]),
            share=_defined(estimate.share[at]),
            rank=int(estimate.rank[at]),
            n=estimate.n,
            phi_low=float(estimate.phi_low[at]),
            phi_high=float(estimate.phi_high[at]),
            share_low=_defined(estimate.share_low[at]),
            share_high=_defined(estimate.share_high[at]),
            players=grouping.name,
            rank_low=int(estimate.rank_low[at]),
            rank_high=int(estimate.rank_high[at]),
            p_top3=float(estimate.top3[at]),
        )


def complete_documents(scores: Scores, wanted: Sequence[Removed]) -> Outcomes:
    """Return the values of the documents that every wanted coalition has; ``scores`` must hold all of ``wanted``."""
    complete = are_complete(scores, wanted)
    return {removed: scores[removed][complete] for removed in wanted}


def are_complete(scores: Scores, wanted: Sequence[Removed]) -> NDArray[np.bool_]:
    """Return which documents every wanted coalition has, shape (documents,)."""
    return np.asarray(~np.isnan([scores[removed] for removed in wanted]).any(axis=0))


def chance_of(choices: FloatArray, value: str) -> float | None:
    """Return the accuracy of a random guess: the mean of 1/choices.

    It is None if a document has fewer than two choices, or if the value is not an accuracy.
    """
    defined = is_accuracy(value) and len(choices) > 0 and bool((choices >= 2).all())
    return float((1 / choices).mean()) if defined else None


def _defined(value: float) -> float | None:
    """Return the value, or None for NaN."""
    return None if math.isnan(value) else float(value)
