"""What outcomes say, as values that a table, a file or a chart shows: points of players and coalitions."""

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
    """Every player that shares a document with the intact model.

    Args:
        scores: of one task.
        choices: how many choices each document has, shape (documents,).
        players: of the model.
        value: what the scores are.
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
    """One coalition, or None where no document of it was evaluated."""
    values = scores.get(removed)
    if values is None or np.isnan(values).all():
        return None
    there = ~np.isnan(values)
    intact = scores.get(INTACT)
    both = there & ~np.isnan(intact) if intact is not None else np.zeros_like(there)
    interval = mean_interval(values[there])
    drop = paired_drop(intact[both], values[both]) if intact is not None and both.any() else None
    return CoalitionPoint(
        removed=removed,
        n=int(there.sum()),
        acc=float(values[there].mean()),
        acc_se=mean_se(values[there]),
        acc_low=None if interval is None else interval[0],
        acc_high=None if interval is None else interval[1],
        intact_acc=None if drop is None or intact is None else float(intact[both].mean()),
        drop=None if drop is None else drop.drop,
        drop_low=None if drop is None else drop.low,
        drop_high=None if drop is None else drop.high,
        changed=None if drop is None or intact is None else int((intact[both] != values[both]).sum()),
    )


def shapley_points(estimate: Estimate, grouping: Grouping) -> Iterator[ShapleyPoint]:
    """An estimate of a grouping's units, one by one."""
    for at, unit in enumerate(grouping.units):
        yield ShapleyPoint(
            player=at,
            label=unit.label,
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
    """The values of the documents that every coalition wanted has; all of ``wanted`` are in ``scores``."""
    complete = are_complete(scores, wanted)
    return {removed: scores[removed][complete] for removed in wanted}


def are_complete(scores: Scores, wanted: Sequence[Removed]) -> NDArray[np.bool_]:
    """Which documents every coalition wanted has."""
    return np.asarray(~np.isnan([scores[removed] for removed in wanted]).any(axis=0))


def chance_of(choices: FloatArray, value: str) -> float | None:
    """A random guess's accuracy: the mean of 1/choices.

    None where a document has nothing to choose from, and of a value that is no accuracy.
    """
    told = is_accuracy(value) and len(choices) > 0 and bool((choices >= 2).all())
    return float((1 / choices).mean()) if told else None


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
