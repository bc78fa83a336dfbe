"""A made-up state of the explorer, from a seed: the first sublayers and one late FFN carry the model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType

import numpy as np

from core.coalitions.grouping import SUBLAYERS, grouping
from core.coalitions.players import Kinds, Player, Removed, players_of, removed_set
from core.coalitions.schedules import windows
from core.config.run_config import RunConfig
from core.estimators.estimate import estimate
from core.estimators.question import Question, Scores
from core.estimators.racing import stored_verdicts
from core.estimators.windows import WindowFirst
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Charts, JobView, Opened, Scored
from core.records.records import ModelRecord
from core.summaries.summarize import ablation_points, coalition_point, shapley_points
from core.values.raced import race_by
from tui.explorer.state import State

TASK = "agreement"
DOCUMENTS = 120
CHOICES = 2
MAX_REMOVED = 4


Layers = int | Kinds
"""How many layers with an attention and an FFN each, or the kinds of the players of each layer."""

HYBRID: Kinds = (("ssm", "ffn"), ("ssm",), ("ffn",), ("attn",), ("ssm", "ffn"), ("conv", "moe")) * 5
DENSE_FIRST: Kinds = (("attn", "ffn"), *((("attn", "moe"),) * 26))
FOUR: Kinds = (("attn", "moe", "attn", "ffn"),) * 28
EXPERTS: Kinds = (("attn", "ffn"), *((("attn", *("expert",) * 64),) * 3), *((("attn", "moe"),) * 4))
"""The experts of three layers are players."""
ONE: Kinds = (("ssm",),) * 64
"""Only one player a layer, as in Mamba."""
DEEP: Kinds = (("linear", "ffn"), ("linear", "ffn"), ("mixer", "linear", "moe"), ("attn", "moe")) * 22


def kinds(layers: Layers) -> Kinds:
    return (("attn", "ffn"),) * layers if isinstance(layers, int) else layers


def players(layers: Layers = 30) -> tuple[Player, ...]:
    return players_of(kinds(layers))


@cache
def scores(layers: Layers = 30, seed: int = 0) -> Scores:
    """Return outcomes of every window: a document's answer flips once enough of what it leans on is gone."""
    generator = np.random.default_rng(seed)
    count, depth = len(players(layers)), len(kinds(layers))
    damage = generator.gamma(0.4, 0.03, count)
    damage[[0, 1, 3]] = 1.1, 2.5, 0.5
    damage[[count * (depth * 2 // 5) // depth + 1, count - 1]] = 0.9, 1.4
    leans = damage[:, None] * generator.gamma(2.0, 0.5, (count, DOCUMENTS))
    luck = generator.random(DOCUMENTS)

    def values(removed: Removed) -> np.ndarray:
        right = 1 / CHOICES + (0.92 - 1 / CHOICES) * np.exp(-leans[list(removed)].sum(axis=0))
        flips = generator.random(DOCUMENTS) < (0.03 if removed else 0.0)
        return np.where(flips, luck >= right, luck < right).astype(np.float64)

    return MappingProxyType({removed: values(removed) for removed in windows(count, MAX_REMOVED)})


@cache
def charts(layers: Layers = 30, *, shapley: bool = True) -> Charts:
    known = scores(layers)
    game = Question(WindowFirst(MAX_REMOVED)).of(players(layers))
    verdicts = stored_verdicts(game, known, np.arange(DOCUMENTS), race_by("acc", ["acc"]))
    estimated = replace(estimate(game.estimator, known, game.units, draws=200), verdicts=verdicts)
    return Charts(
        task=TASK,
        intact=coalition_point(known, ()),
        ablation=tuple(ablation_points(known, np.full(DOCUMENTS, CHOICES), players(layers), "acc")),
        shapley=tuple(shapley_points(estimated, grouping(SUBLAYERS, players(layers)))) if shapley else (),
        estimator="window-first",
        settings=WindowFirst(MAX_REMOVED).in_words(),
    )


def bench_task(name: str = TASK) -> BenchTask:
    return BenchTask(
        key=name, name=name, task_id="3f2a", documents=DOCUMENTS, size=DOCUMENTS, value="acc", chance=1 / CHOICES
    )


def opened(layers: Layers = 30, model: str = "SmolLM2-135M-Instruct", task: str = TASK) -> Opened:
    record = ModelRecord("f" * 64, model, "packaged", None, "float32", "llama", kinds(layers))
    config = RunConfig.model_validate({"tasks": ["agreement"]})
    return Opened(config=config, model=record, model_id="ffff", device="cpu", tasks=(bench_task(task),))


def job(**changes: object) -> JobView:
    fields: dict[str, object] = {
        "job": 1,
        "title": "windows on agreement",
        "command": "cornerstone run --task agreement --schedule windows",
        "config": {"tasks": ["agreement"], "schedule": ["windows"]},
        "state": "running",
        "phase": "windows up to 4 on agreement",
        "done": 11562.0,
        "total": 28200,
        "rate": 128.0,
        "seconds_left": 130.0,
    }
    return JobView.model_validate(fields | changes)


def scored(removed: Removed, layers: Layers = 30, *, n: int = DOCUMENTS) -> Scored:
    """Return the score of a coalition on ``n`` documents: each as bad as its worst sublayer removed alone."""
    known = scores(layers)
    parts = [known[(number,)] for number in removed] or [known[()]]
    values = np.where(np.arange(DOCUMENTS) < n, np.min(parts, axis=0), np.nan)
    point = coalition_point({**known, removed: values}, removed)
    assert point is not None
    return Scored(task=TASK, point=point, wanted=DOCUMENTS, final=n == DOCUMENTS)


def state(layers: Layers = 30, removed: Removed = (0, 7), **changes: object) -> State:
    """Return a state in the middle of a sweep, with two sublayers removed."""
    shown = State(
        connection="connected",
        bench=opened(layers),
        jobs=(job(),),
        charts=MappingProxyType({TASK: charts(layers)}),
        task=TASK,
        removed=removed_set(removed),
        scored=scored(removed_set(removed), layers),
    )
    return replace(shown, **changes)  # type: ignore[arg-type]
