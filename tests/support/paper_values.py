"""Values of small models, written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.coalitions.players import players_of
from core.paper.values import ModelValues, TaskValues


def task(
    name: str = "arc_easy",
    *,
    intact: Sequence[float] | None = None,
    ablated: Sequence[Sequence[float]] | None = None,
    contributions: Sequence[Sequence[float]] | None = None,
    chance: float | None = 0.25,
) -> TaskValues:
    def array(values: Sequence | None) -> np.ndarray | None:
        return None if values is None else np.array(values, dtype=np.float64)

    return TaskValues(name, f"id-{name}", "acc", chance, 100, array(intact), array(ablated), array(contributions))


def model(*tasks: TaskValues, players: int = 4) -> ModelValues:
    return ModelValues("tiny", "id", players_of([("attn", "ffn")] * (players // 2)), tasks)
