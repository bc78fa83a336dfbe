"""A task of the workbench: one value by coalition and document, as outcomes arrive, and the charts made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import INTACT
from core.estimators.estimate import estimate
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.evaluator.protocol import BenchTask, Charts
from core.records.fingerprint import digest_of, short_id
from core.records.records import Assignment, Outcome, StoredValues
from core.statistics.intervals import FloatArray
from core.summaries.points import CoalitionPoint, ShapleyPoint
from core.summaries.summarize import (
    ablation_points,
    chance_of,
    coalition_point,
    shapley_points,
)
from core.values.of_task import resolve_if_any, usable_values
from core.values.value_table import ValueTable

_NO_VALUE = "no value"
"""Stands for the value of a task that has none: its table only tells which outcomes are there."""


class LiveTask:
    """One value of an assignment's documents. A document that occurs twice counts twice."""

    def __init__(self, assignment: Assignment, players: Sequence[Player], asked: str | None = None) -> None:
        """Begin without outcomes.

        Args:
            assignment: model, task and documents; its coalitions are ignored.
            players: the players of the model.
            asked: the value; None for the task's own.

        Raises:
            CornerstoneError: the task does not have the value asked for.
        """
        # In the data's order, as results are read from the store: a bootstrap over documents then draws the same.
        documents = sorted(assignment.documents, key=lambda document: document.doc_id)
        self._assignment = assignment
        self._players = players
        self._usable = usable_values(assignment.task, documents)
        self._choices: FloatArray = np.array([len(document.choices) for document in documents], dtype=np.float64)
        self.value = resolve_if_any(assignment.task, documents, asked)
        """The name of the charted value; None if the task has no value."""
        self._table = ValueTable(documents, self.value or _NO_VALUE, assignment.task.mean_metrics)
        self.key = live_task_key(assignment, self.value)
        self.changed = False
        """Whether outcomes were added since the charts were made."""

    @property
    def column(self) -> str:
        """The name of the value to ask a recorder for; a stand-in if the task has no value."""
        return self._table.value

    @property
    def bench_task(self) -> BenchTask:
        task, data = self._assignment.task, self._assignment.data
        return BenchTask(
            key=self.key,
            name=task.name,
            task_id=short_id(task.fingerprint, data.fingerprint),
            documents=len(self._choices),
            size=data.size,
            value=self.column,
            chance=chance_of(self._choices, self.column),
            values=self._usable,
        )

    def holds(self, assignment: Assignment) -> bool:
        """Return whether every document of an assignment is here."""
        return self._assignment.shares_outcomes(assignment) and self._table.holds(assignment.documents)

    def load(self, stored: StoredValues) -> None:
        """Take stored values."""
        self._table.load(stored)

    def add(self, assignment: Assignment, outcomes: Sequence[Outcome]) -> bool:
        """Take new outcomes; return false where they are of another model or task."""
        if not self._assignment.shares_outcomes(assignment):
            return False
        self.changed = True
        self._table.add(outcomes)
        return True

    def evaluated(self, assignment: Assignment) -> dict[str, frozenset[Removed]]:
        """Return, by document key, which of an assignment's coalitions are there."""
        return self._table.evaluated(assignment.documents, assignment.coalitions)

    def values(self, assignment: Assignment) -> StoredValues:
        """Return the values of an assignment's documents that are there."""
        return self._table.stored(assignment.documents)

    def coalition(self, removed: Removed) -> CoalitionPoint | None:
        """Return the point of a coalition; None where no document has the value under it."""
        return coalition_point(self._table.scores, removed)

    def charts(self, max_removed: int, asked: Question | None = None) -> Charts:
        """Return the charts of the outcomes so far.

        Args:
            max_removed: the longest window of sublayers.
            asked: the question that the Shapley values answer, once a document has all its coalitions. Before that, and
                if it is None, they answer the question of windows of sublayers.
        """
        self.changed = False
        scores = self._table.scores
        windows = Question(WindowFirst(max_removed))
        question, shapley = windows, tuple[ShapleyPoint, ...]()
        for question in (windows,) if asked is None else (asked, windows):
            if shapley := self._shapley(question):
                break
        return Charts(
            task=self.key,
            intact=self.coalition(INTACT),
            ablation=tuple(ablation_points(scores, self._choices, self._players, self.column)),
            shapley=shapley,
            estimator=question.estimator.name,
            settings=question.estimator.in_words(),
        )

    def _shapley(self, question: Question) -> tuple[ShapleyPoint, ...]:
        """Return the answer over the documents that have every coalition needed; () where none has."""
        game = question.of(self._players)
        scores = self._table.scores if question.players == SUBLAYERS else game.by_units(self._table.scores)
        outcomes, absent = game.read_complete(scores)
        if absent or not outcomes or not len(outcomes[INTACT]):
            return ()
        return tuple(shapley_points(estimate(game.estimator, outcomes, game.units), game.grouping))


def live_task_key(assignment: Assignment, value: str | None = None) -> str:
    """Return a key for a model, task, data set, choice of documents and, where it is not the task's own, value."""
    documents = [document.key for document in assignment.documents]
    identity = [assignment.model.fingerprint, assignment.task.fingerprint, assignment.data.fingerprint, documents]
    own = resolve_if_any(assignment.task, assignment.documents, None)
    return digest_of(identity if value in {None, own} else [*identity, value])[:12]
