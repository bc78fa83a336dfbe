"""Results of players, coalitions and units as plain values, for charts, tables and messages. Light to import."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import PlayerKind, Removed


@dataclass(frozen=True, slots=True)
class AblationPoint:
    """The result of removing one player alone.

    ``drop`` is intact - ablated, paired over the ``n`` documents that both have. ``p_value`` comes from McNemar's exact
    test; it is None unless all scores are 0 or 1.
    """

    player: int
    label: str
    layer: int
    kind: PlayerKind
    n: int
    acc: float
    acc_se: float | None
    intact_acc: float
    drop: float
    drop_low: float
    drop_high: float
    chance: float | None
    p_value: float | None


@dataclass(frozen=True, slots=True)
class CoalitionPoint:
    """The result of one coalition.

    ``n`` counts the coalition's documents. ``acc_low`` and ``acc_high`` are the interval of its score, None if there
    are too few documents for one. ``drop`` and ``changed`` (documents whose value differs) compare it with the intact
    model, over the documents that both have. They are None where no document has both.
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
    ``kind`` are those of all its players, None where these differ.
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
