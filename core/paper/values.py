"""What the paper's tables are made from: one model's stored values of its tasks, per document."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import Player
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class TaskValues:
    """One model on one task. No value is NaN.

    Attributes:
        task: its name.
        task_id: tells apart what shares a name.
        value: as the paper chooses it ``acc_norm`` where the task defines it, else ``acc``; or another that was asked
            for, in its own unit (``core.values.derived``).
        chance: a random guess's accuracy; None where there is nothing to choose from, or ``value`` is no accuracy.
        size: how many documents the data set holds.
        intact: the intact model's values, shape (documents,), over the documents that it and every player removed alone
            have; None where there are none.
        ablated: the values with each player removed alone, shape (players, documents); None with ``intact``.
        contributions: what each player contributes on each document, shape (players, documents); None where the
            estimator's coalitions are not all stored.
    """

    task: str
    task_id: str
    value: str
    chance: float | None
    size: int
    intact: FloatArray | None
    ablated: FloatArray | None
    contributions: FloatArray | None


@dataclass(frozen=True, slots=True)
class ModelValues:
    """One model and its tasks, in the order in which they are printed."""

    model: str
    model_id: str
    players: tuple[Player, ...]
    tasks: tuple[TaskValues, ...]
