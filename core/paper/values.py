"""The input of the paper's tables: one model's stored values of its tasks, per document."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import Player
from core.statistics.intervals import FloatArray


@dataclass(frozen=True, slots=True)
class TaskValues:
    """One model on one task. No value is NaN.

    Attributes:
        task: the name of the task.
        task_id: distinguishes tasks that share a name.
        value: the value that is read. The paper takes ``acc_norm`` if the task defines it, else ``acc``; any other can
            be requested, in its own unit (``core.values.derived``).
        chance: the accuracy of a random guess; None if documents have no choices, or ``value`` is not an accuracy.
        size: number of documents in the data set.
        intact: the intact model's values, shape (documents,), over the documents that it and every single ablation
            have; None if there are none.
        ablated: the values with each player removed alone, shape (players, documents); None if ``intact`` is None.
        contributions: the contribution of each player on each document, shape (players, documents); None if not all
            coalitions of the estimator are stored.
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
