"""Rows to draw, from the explorer's example."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from core.estimators.interactions import interactions
from store.rows import AblationRow, InteractionRow, ShapleyRow
from tests.support import example_state as example

LAYERS = 30


def ablation_rows(*tasks: str, layers: example.Layers = LAYERS, model: str = "tiny") -> list[AblationRow]:
    return [
        AblationRow(model=model, task=task, value="acc", model_id=model, task_id=task, **asdict(point))
        for task in tasks
        for point in example.charts(layers).ablation
    ]


def shapley_rows(
    *tasks: str,
    layers: example.Layers = LAYERS,
    model: str = "tiny",
    estimator: str = "window-first",
    settings: str = "windows of up to 4",
) -> list[ShapleyRow]:
    return [
        ShapleyRow(
            model=model,
            task=task,
            value="acc",
            estimator=estimator,
            max_removed=4,
            settings=settings,
            model_id=model,
            task_id=task,
            **asdict(point),
        )
        for task in tasks
        for point in example.charts(layers).shapley
    ]


def interaction_rows(*tasks: str, layers: example.Layers = LAYERS, model: str = "tiny") -> list[InteractionRow]:
    labels = [player.label for player in example.players(layers)]
    outcomes = {removed: np.asarray(values) for removed, values in example.scores(layers).items()}
    return [
        InteractionRow(
            model=model,
            task=task,
            value="acc",
            layer=example.players(layers)[one.first].layer,
            labels=tuple(labels[one.first : one.first + one.size]),
            model_id=model,
            task_id=task,
            **asdict(one),
        )
        for task in tasks
        for one in interactions(outcomes, len(labels), 4)
    ]
