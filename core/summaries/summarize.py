"""Summarize scores and estimates as points, one per player, coalition or unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import Grouping
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import INTACT
from core.estimators.estimate import Estimate
from core.estimators.estimator import Outcomes
from core.estimators.question import Scores
from core.statistics.costs import CostVerdicts
from core.statistics.defined import defined
from core.statistics.intervals import Drop, FloatArray, mean_interval, mean_se, paired_drop
from core.statistics.ratio import Ratio, Score
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint
from core.values.derived import is_accuracy


def ablation_points(
    scores: Scores,
    choices: FloatArray,
    players: Sequence[Player],
    value: str,
    ratio: Ratio | None = None,
    costs: CostVerdicts | None = None,
) -> Iterator[AblationPoint]:
    """Yield a point for every player that shares a document with the intact model.

    Args:
        scores: the scores of one task.
        choices: how many choices each document has, shape (documents,).
        players: the model's players.
        value: the name of the value that the scores hold.
        ratio: how the documents make a value of their corpus; None for a mean over them.
        costs: which players cost more than was asked about; None where nothing was.
    """
    intact = scores.get(INTACT)
    if intact is None:
        return
    alone = {player: scores[(player.number,)] for player in players if (player.number,) in scores}
    both = {player: ~np.isnan(intact) & ~np.isnan(ablated) for player, ablated in alone.items()}
    compared = _compared(intact, {player: alone[player] for player, some in both.items() if some.any()}, ratio)
    for player, (score, drop) in compared.items():
        of_both = None if ratio is None else ratio.at(both[player])
        yield AblationPoint(
            player=player.number,
            label=player.label,
            layer=player.layer,
            kind=player.kind,
            n=drop.n,
            acc=score.value,
            acc_se=_telling(score.se),
            acc_low=score.low,
            acc_high=score.high,
            intact_acc=level_of(intact[both[player]], of_both),
            drop=drop.drop,
            drop_low=drop.low,
            drop_high=drop.high,
            chance=chance_of(choices[both[player]], value),
            p_value=drop.p_value,
            verdict=None if costs is None else costs.standings[player.number],
            verdict_cost=None if costs is None else costs.cost,
            verdict_n=None if costs is None else costs.documents[player.number],
        )


def coalition_point(scores: Scores, removed: Removed, ratio: Ratio | None = None) -> CoalitionPoint | None:
    """Return the point of a coalition, or None if none of its documents was evaluated.

    It is over the documents that the intact model was evaluated on too, so that its score and drop belong together. If
    there are none, it is over all of its own. ``ratio`` is as for ``ablation_points``.
    """
    values = scores.get(removed)
    if values is None or np.isnan(values).all():
        return None
    evaluated = ~np.isnan(values)
    intact = scores.get(INTACT)
    both = evaluated & ~np.isnan(intact) if intact is not None else np.zeros_like(evaluated)
    evaluated = both if both.any() else evaluated
    of_each = None if ratio is None else ratio.at(evaluated)
    if intact is not None and both.any():
        score, drop = _against(intact[both], values[None, both], of_each)[0]
    else:
        score, drop = _score_of(values[evaluated], of_each), None
    return CoalitionPoint(
        removed=removed,
        n=int(evaluated.sum()),
        acc=score.value,
        acc_se=_telling(score.se),
        acc_low=score.low,
        acc_high=score.high,
        intact_acc=None if drop is None or intact is None else level_of(intact[both], of_each),
        drop=None if drop is None else drop.drop,
        drop_low=None if drop is None else drop.low,
        drop_high=None if drop is None else drop.high,
        changed=None
        if drop is None or intact is None or ratio is not None
        else int((intact[both] != values[both]).sum()),
    )


def _compared(
    intact: FloatArray, alone: Mapping[Player, FloatArray], ratio: Ratio | None
) -> dict[Player, tuple[Score, Drop]]:
    """Return each player's score and drop; those of the same documents are compared together."""
    together: defaultdict[bytes, list[Player]] = defaultdict(list)
    for player, ablated in alone.items():
        together[(~np.isnan(intact) & ~np.isnan(ablated)).tobytes()].append(player)
    found: dict[Player, tuple[Score, Drop]] = {}
    for documents, some in together.items():
        both = np.frombuffer(documents, dtype=np.bool_)
        ablated = np.stack([alone[player][both] for player in some])
        found |= zip(some, _against(intact[both], ablated, None if ratio is None else ratio.at(both)), strict=True)
    return {player: found[player] for player in alone}


def _against(intact: FloatArray, ablated: FloatArray, ratio: Ratio | None) -> list[tuple[Score, Drop]]:
    """Return the score of each ablation, and by how much it is worse, with its paired interval.

    Args:
        intact: the intact model's values, shape (documents,).
        ablated: those of ablations, shape (ablations, documents).
        ratio: how these documents make a value of their corpus; None for a mean over them.
    """
    if ratio is not None:
        return ratio.against(intact, ablated)
    return [(_score_of(one, None), paired_drop(intact, one)) for one in ablated]


def _score_of(values: FloatArray, ratio: Ratio | None) -> Score:
    if ratio is not None:
        return ratio.score(values)
    low, high = mean_interval(values) or (None, None)
    return Score(float(values.mean()), mean_se(values), low, high)


def level_of(values: FloatArray, ratio: Ratio | None) -> float:
    """Return the score of documents without its interval: their mean, or the value of their corpus."""
    return float(values.mean()) if ratio is None else -float(ratio.linear(values).mean())


def drop_of(intact: FloatArray, ablated: FloatArray, ratio: Ratio | None) -> Drop:
    """Return by how much the score of the same documents is worse, with its paired interval."""
    return _against(intact, ablated[None], ratio)[0][1]


def evaluated_choices(scores: Scores, choices: FloatArray, removed: Removed) -> FloatArray:
    """Return how many choices the documents of a coalition have, shape (its documents,)."""
    return np.asarray(choices[~np.isnan(scores[removed])])


def shapley_points(estimate: Estimate, grouping: Grouping) -> Iterator[ShapleyPoint]:
    """Yield a point for each unit of an estimate."""
    found = estimate.verdicts
    for at, unit in enumerate(grouping.units):
        yield ShapleyPoint(
            player=at,
            label=unit.label,
            layer=unit.layer,
            kind=unit.kind,
            phi=float(estimate.phi[at]),
            phi_clipped=float(estimate.phi_clipped[at]),
            se=_telling(defined(estimate.se[at])),
            share=defined(estimate.share[at]),
            rank=int(estimate.rank[at]),
            n=int(estimate.n[at]),
            phi_low=float(estimate.phi_low[at]),
            phi_high=float(estimate.phi_high[at]),
            share_low=defined(estimate.share_low[at]),
            share_high=defined(estimate.share_high[at]),
            players=grouping.name,
            rank_low=int(estimate.rank_low[at]),
            rank_high=int(estimate.rank_high[at]),
            p_top3=float(estimate.top3[at]),
            verdict=None if found is None else found.standings[at],
            verdict_k=None if found is None else found.k,
            verdict_n=None if found is None else found.documents[at],
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


def _telling(se: float | None) -> float | None:
    """Return a standard error, or None for 0: that nothing varied on these documents is no certainty."""
    return se or None
