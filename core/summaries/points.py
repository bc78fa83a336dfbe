"""What a chart, a table or a message shows of players and coalitions: plain values, light to import."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import PlayerKind, Removed


@dataclass(frozen=True, slots=True)
class AblationPoint:
    """One player removed alone. ``drop`` = intact - ablated, paired over the ``n`` documents both have.

    ``p_value`` is of McNemar's exact test, None where scores are not all 0 or 1.
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
    """One coalition. ``acc_low`` and ``acc_high`` are the score's interval, None where one document does not tell.

    ``drop`` and ``changed`` (documents whose value differs) are paired with the intact model.

    They are None where no document has both; ``n`` counts the coalition's own documents.
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
    """One unit's estimate; see ``core.estimators.estimate.Estimate``. None stands for what is undefined.

    ``players`` names the grouping of players into units, of which ``player`` is the number.
    """

    player: int
    label: str
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
