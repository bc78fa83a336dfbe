"""A board: the values of one task of the workbench by coalition and document, as they arrive, and what they say."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.estimators.estimate import estimate
from core.estimators.windows import WindowFirst
from core.evaluator.protocol import BenchTask, Charts
from core.fingerprint import digest_of, short_id
from core.grouping import SUBLAYERS, grouping
from core.intervals import FloatArray
from core.players import Player, Removed
from core.points import CoalitionPoint
from core.records import Assignment, Outcome, StoredValues
from core.report import (
    ablation_points,
    chance_of,
    coalition_point,
    complete_documents,
    shapley_points,
)
from core.schedules import INTACT


class Board:
    """The values of one metric over an assignment's documents. A document that occurs twice counts twice."""

    def __init__(self, assignment: Assignment, players: Sequence[Player]) -> None:
        # In the data's order, as results are read from the store: a bootstrap over documents then draws the same.
        documents = sorted(assignment.documents, key=lambda document: document.doc_id)
        means = assignment.task.mean_metrics
        self._assignment = assignment
        self._players = players
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, document in enumerate(documents):
            self._places[document.key].append(place)
        self._choices: FloatArray = np.array([len(document.choices) for document in documents], dtype=np.float64)
        self._values: dict[Removed, FloatArray] = {}
        self._there: dict[Removed, NDArray[np.bool_]] = {}
        self.metric = "acc" if "acc" in means or not means else means[0]
        self.key = board_key(assignment)
        self.changed = False
        """Whether something was added since its charts were made."""

    @property
    def bench_task(self) -> BenchTask:
        task, data = self._assignment.task, self._assignment.data
        return BenchTask(
            key=self.key,
            name=task.name,
            task_id=short_id(task.fingerprint, data.fingerprint),
            documents=len(self._choices),
            value=self.metric,
            chance=chance_of(self._choices),
        )

    def holds(self, assignment: Assignment) -> bool:
        """Whether every document of an assignment is on this board."""
        return self._same_game(assignment) and all(document.key in self._places for document in assignment.documents)

    def load(self, stored: StoredValues) -> None:
        """Take what the store has."""
        columns = [(index, place) for index, key in enumerate(stored.keys) for place in self._places.get(key, ())]
        if not columns:
            return
        source, target = np.array(columns).T
        for removed, values, there in zip(stored.removed, stored.values, stored.there, strict=True):
            self._row(removed)
            self._values[removed][target] = values[source]
            self._there[removed][target] = there[source]

    def add(self, assignment: Assignment, outcomes: Iterable[Outcome]) -> bool:
        """Take new outcomes; false where they are of another game."""
        if not self._same_game(assignment):
            return False
        self.changed = True
        for outcome in outcomes:
            places = self._places.get(outcome.document, [])
            value = outcome.metrics.get(self.metric, math.nan)
            self._row(outcome.removed)
            self._values[outcome.removed][places] = value if math.isfinite(value) else math.nan
            self._there[outcome.removed][places] = True
        return True

    def evaluated(self, assignment: Assignment) -> dict[str, frozenset[Removed]]:
        """Which of an assignment's coalitions are there, by document key."""
        rows = [(removed, self._there[removed]) for removed in assignment.coalitions if removed in self._there]
        return {
            document.key: frozenset(removed for removed, there in rows if there[self._places[document.key][0]])
            for document in assignment.documents
        }

    def coalition(self, removed: Removed) -> CoalitionPoint | None:
        return coalition_point(self._values, removed)

    def charts(self, max_removed: int) -> Charts:
        """What is known now. Shapley values need every window of up to ``max_removed`` on one document at least."""
        self.changed = False
        estimator, units = WindowFirst(max_removed), grouping(SUBLAYERS, self._players)
        wanted = estimator.missing({}, len(units.units))
        outcomes = complete_documents(self._values, wanted) if all(w in self._values for w in wanted) else None
        shapley = (
            ()
            if outcomes is None or not len(outcomes[INTACT])
            else tuple(shapley_points(estimate(estimator, outcomes, len(units.units)), units))
        )
        return Charts(
            task=self.key,
            intact=self.coalition(INTACT),
            ablation=tuple(ablation_points(self._values, self._choices, self._players)),
            shapley=shapley,
            estimator=estimator.name,
            max_removed=max_removed,
        )

    def _same_game(self, assignment: Assignment) -> bool:
        mine = self._assignment
        return (mine.model.fingerprint, mine.task.fingerprint) == (
            assignment.model.fingerprint,
            assignment.task.fingerprint,
        )

    def _row(self, removed: Removed) -> None:
        if removed not in self._values:
            self._values[removed] = np.full(len(self._choices), np.nan)
            self._there[removed] = np.zeros(len(self._choices), dtype=np.bool_)


def board_key(assignment: Assignment) -> str:
    """Names the board of a model, task, data set and choice of documents."""
    documents = [document.key for document in assignment.documents]
    identity = [assignment.model.fingerprint, assignment.task.fingerprint, assignment.data.fingerprint, documents]
    return digest_of(identity)[:12]
