"""Results of players, coalitions and units as plain values, for charts, tables and messages. Light to import."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import PlayerKind, Removed
from core.statistics.costs import CostStanding
from core.statistics.verdicts import Standing


@dataclass(frozen=True, slots=True)
class AblationPoint:
    """The result of removing one player alone.

    All numbers are of the ``n`` documents that it and the intact model have; ``drop`` is intact - ablated, paired,
    or ablated - intact where a lower score is better: it says how much worse the model is.
    ``acc_se`` is None where all of them have the same score, which is not certain: ``acc_low`` and ``acc_high`` are the
    interval, None if there are too few documents for one. ``p_value`` comes from McNemar's exact test; it is None
    unless all scores are 0 or 1. ``verdict`` says whether the drop is above or below ``verdict_cost``, by ``verdict_n``
    documents; None where no cost was asked about, or that cannot be decided.
    """

    player: int
    label: str
    layer: int
    kind: PlayerKind
    n: int
    acc: float
    acc_se: float | None
    acc_low: float | None
    acc_high: float | None
    intact_acc: float
    drop: float
    drop_low: float
    drop_high: float
    chance: float | None
    p_value: float | None
    verdict: CostStanding | None = None
    verdict_cost: float | None = None
    verdict_n: int | None = None


@dataclass(frozen=True, slots=True)
class CoalitionPoint:
    """The result of one coalition.

    All numbers are of ``n`` documents: those that it and the intact model have. ``intact_acc`` is the intact model's
    score of them, and ``drop`` and ``changed`` (documents whose value differs) compare the two. ``changed``
    is None for a value of the corpus, as the likelihood of nearly every text differs. If there are no such documents,
    these are None, and the rest is of the coalition's own documents. ``acc_se``, ``acc_low`` and ``acc_high`` are as
    for ``AblationPoint``.
    """

    removed: Removed
    n: int
    acc: float
    acc_se: float | None
    acc_low: float | None
    acc_high: float | None
    intact_acc: float | None
    drop: float | None
    drop_low: float | None
    drop_high: float | None
    changed: int | None


@dataclass(frozen=True, slots=True)
class ShapleyPoint:
    """The estimate of one unit; see ``core.estimators.estimate.Estimate``. None stands for an undefined number.

    ``players`` names the grouping of players into units, and ``player`` is the unit's number in it. ``layer`` and
    ``kind`` are those of all its players, None where these differ. ``se`` is None where every document contributes the
    same: the interval of phi tells what that leaves open. ``verdict`` says whether the unit is one of the ``verdict_k``
    largest, by ``verdict_n`` documents; None where that is not to be decided.
    """

    player: int
    label: str
    layer: int | None
    kind: PlayerKind | None
    phi: float
    phi_clipped: float
    se: float | None
    share: float | None
    rank: int
    n: int
    phi_low: float
    phi_high: float
    share_low: float | None
    share_high: float | None
    players: str
    rank_low: int
    rank_high: int
    p_top3: float
    verdict: Standing | None = None
    verdict_k: int | None = None
    verdict_n: int | None = None
