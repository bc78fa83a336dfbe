"""Real documents in many random orders: whether verdicts contradict the values over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.values.raced import race_by
from store.file.database import reading
from store.reading.group_values import read_values
from store.reading.groups import find_groups
from store.rows import Selection

_EARLY = 64


@dataclass(frozen=True, slots=True)
class Orders:
    """The part of orders with any wrong verdict, and the mean numbers of units in and out, early and at the end."""

    title: str
    units: int
    documents: int
    wrong: float
    inside: float
    out: float
    early: int
    early_inside: float
    early_out: float


def orders_of(store: Path, value: str, orders: int, task: str | None = None, seed: int = 0) -> Orders:
    """Race the players of a store's only results in random orders of the documents with all windows of up to 4.

    ``task`` selects the results of one task.
    """
    with reading(store) as db:
        (group,) = find_groups(db, Selection(task=task))
        values = read_values(db, group, value, longest=4)
    game = Question(WindowFirst(4)).of(group.players)
    outcomes, absent = game.read_complete(values.scores)
    assert not absent, f"{store} lacks windows of up to 4"
    contributions = game.estimator.contributions(outcomes, game.units)
    units, documents = contributions.shape
    top = set(np.argsort(-contributions.mean(axis=1), kind="stable")[: race_by(value, group.mean_metrics).k])
    rng, counts = np.random.default_rng(seed), np.zeros((orders, 5))
    for row in counts:
        drawn, race = contributions[:, rng.permutation(documents)], race_by(value, group.mean_metrics)
        early = race.look(drawn[:, :_EARLY])
        last = race.look(drawn)
        inside, out = set(last.units("in")), set(last.units("out"))
        wrong = not inside <= top or bool(out & top)
        row[:] = wrong, len(inside), len(out), len(early.units("in")), len(early.units("out"))
    part, ins, outs, early_ins, early_outs = counts.mean(axis=0).tolist()
    return Orders(group.title, units, documents, part, ins, outs, min(_EARLY, documents), early_ins, early_outs)
