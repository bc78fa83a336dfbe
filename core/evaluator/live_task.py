"""A board: the values of one task of the workbench by coalition and document, as they arrive, and what they say."""

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
from core.values.of_task import default_value, usable_values
from core.values.value_table import Tally


class Board:
    """One value of an assignment's documents. A document that occurs twice counts twice.

    It is ``value`` where the documents have that, else the task's first metric that is a mean, acc before others.
    """

    def __init__(self, assignment: Assignment, players: Sequence[Player], value: str | None = None) -> None:
        # In the data's order, as results are read from the store: a bootstrap over documents then draws the same.
        documents = sorted(assignment.documents, key=lambda document: document.doc_id)
        usable = usable_values(assignment.task, documents)
        self._assignment = assignment
        self._players = players
        self._usable = usable
        self._choices: FloatArray = np.array([len(document.choices) for document in documents], dtype=np.float64)
        self.metric = value if value is not None and value in usable else default_value(assignment.task)
        self._tally = Tally(documents, self.metric, assignment.task.mean_metrics)
        self.key = board_key(assignment, self.metric)
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
            size=data.size,
            value=self.metric,
            chance=chance_of(self._choices, self.metric),
            values=self._usable,
        )

    def holds(self, assignment: Assignment) -> bool:
        """Whether every document of an assignment is on this board."""
        return self._same_game(assignment) and self._tally.holds(assignment.documents)

    def load(self, stored: StoredValues) -> None:
        """Take what the store has."""
        self._tally.load(stored)

    def add(self, assignment: Assignment, outcomes: Sequence[Outcome]) -> bool:
        """Take new outcomes; false where they are of another game."""
        if not self._same_game(assignment):
            return False
        self.changed = True
        self._tally.add(outcomes)
        return True

    def evaluated(self, assignment: Assignment) -> dict[str, frozenset[Removed]]:
        """Which of an assignment's coalitions are there, by document key."""
        return self._tally.evaluated(assignment.documents, assignment.coalitions)

    def values(self, assignment: Assignment) -> StoredValues:
        """What is there of an assignment's documents."""
        return self._tally.stored(assignment.documents)

    def coalition(self, removed: Removed) -> CoalitionPoint | None:
        return coalition_point(self._tally.scores, removed)

    def charts(self, max_removed: int, asked: Question | None = None) -> Charts:
        """What is known now.

        Args:
            max_removed: the longest window of sublayers.
            asked: what the Shapley values are to answer, where one document at least tells; else, they are of all
                windows of sublayers.
        """
        self.changed = False
        scores = self._tally.scores
        windows = Question(WindowFirst.name, max_removed=max_removed)
        question, shapley = windows, tuple[ShapleyPoint, ...]()
        for question in (windows,) if asked is None else (asked, windows):
            if shapley := self._shapley(question):
                break
        return Charts(
            task=self.key,
            intact=self.coalition(INTACT),
            ablation=tuple(ablation_points(scores, self._choices, self._players, self.metric)),
            shapley=shapley,
            estimator=question.estimator,
            max_removed=question.max_removed,
        )

    def _shapley(self, question: Question) -> tuple[ShapleyPoint, ...]:
        """The answer over the documents that every coalition needed has; () where none has."""
        game = question.of(self._players)
        scores = self._tally.scores if question.players == SUBLAYERS else game.by_units(self._tally.scores)
        outcomes, absent = game.read_complete(scores)
        if absent or not outcomes or not len(outcomes[INTACT]):
            return ()
        return tuple(shapley_points(estimate(game.estimator, outcomes, game.units), game.grouping))

    def _same_game(self, assignment: Assignment) -> bool:
        mine = self._assignment
        return (mine.model.fingerprint, mine.task.fingerprint) == (
            assignment.model.fingerprint,
            assignment.task.fingerprint,
        )


def board_key(assignment: Assignment, value: str | None = None) -> str:
    """Names the board of a model, task, data set, choice of documents and, where it is not the default, value."""
    documents = [document.key for document in assignment.documents]
    identity = [assignment.model.fingerprint, assignment.task.fingerprint, assignment.data.fingerprint, documents]
    return digest_of(identity if value in {None, default_value(assignment.task)} else [*identity, value])[:12]
