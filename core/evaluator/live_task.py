"""A task of the workbench: one value by coalition and document, as outcomes arrive, and the charts made of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import SUBLAYERS, grouping
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import INTACT
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.question import Game, Question, Scores
from core.estimators.racing import stored_costs, stored_verdicts
from core.estimators.windows import WindowFirst
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Charts
from core.records.draw import Draw
from core.records.fingerprint import digest_of, short_id
from core.records.records import Assignment, Outcome, StoredValues
from core.statistics.costs import CostVerdicts
from core.statistics.intervals import FloatArray
from core.statistics.ratio import TooLargeError
from core.statistics.verdicts import Race, Verdicts
from core.study.plan import UntilCost
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint
from core.summaries.summarize import (
    ablation_points,
    chance_of,
    coalition_point,
    shapley_points,
)
from core.values.of_task import resolve_if_any, usable_values
from core.values.raced import cost_race_by, race_by
from core.values.value_table import ValueTable

_NO_VALUE = "no value"
"""Stands for the value of a task that has none: its table only tells which outcomes are there."""


class LiveTask:
    """One value of an assignment's documents. A document that occurs twice counts twice."""

    def __init__(
        self, assignment: Assignment, players: Sequence[Player], asked: str | None = None, *, draw: Draw | None = None
    ) -> None:
        """Begin without outcomes.

        Args:
            assignment: model, task and documents; its coalitions are ignored.
            players: the players of the model.
            asked: the value; None for the task's own.
            draw: how the documents were drawn, so that they can decide on the largest units; None if not at random.

        Raises:
            CornerstoneError: the task does not have the value asked for.
        """
        # In the data's order, as results are read from the store: a bootstrap over documents then draws the same.
        documents = sorted(assignment.documents, key=lambda document: document.doc_id)
        self._assignment = assignment
        self._players = players
        self._order = None if draw is None else draw.order([document.doc_id for document in documents])
        self._races: dict[Question, Race] = {}
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
        """Return the point of a coalition; None where no document has the value under it, or it is no number."""
        with suppress(TooLargeError):
            return coalition_point(self._table.scores, removed, self._table.ratio)
        return None

    def charts(self, max_removed: int, asked: Question | None = None, cost: UntilCost | None = None) -> Charts:
        """Return the charts of the outcomes so far.

        Args:
            max_removed: the longest window of sublayers.
            asked: the question that the Shapley values answer, once a document has all its coalitions. Before that, and
                if it is None, they answer the question of windows of sublayers, or of shorter ones where no document
                has more than these.
            cost: what the ablation compares each player with; None for nothing.
        """
        self.changed = False
        scores = self._table.scores
        question = Question(WindowFirst(max_removed))
        ablation, shapley = tuple[AblationPoint, ...](), tuple[ShapleyPoint, ...]()
        with suppress(TooLargeError):  # a perplexity; a chart without numbers stays empty
            costs = None if cost is None else self._costs(cost)
            ratio = self._table.ratio
            ablation = tuple(ablation_points(scores, self._choices, self._players, self.column, ratio, costs))
        with suppress(TooLargeError):
            question, shapley = self._answered(question, asked, max_removed)
        return Charts(
            task=self.key,
            intact=self.coalition(INTACT),
            ablation=ablation,
            shapley=shapley,
            estimator=question.estimator.name,
            settings=question.estimator.in_words(),
        )

    def _answered(
        self, windows: Question, asked: Question | None, max_removed: int
    ) -> tuple[Question, tuple[ShapleyPoint, ...]]:
        """Return the first question that documents answer, with its answer; that of windows where none is."""
        # The last of the shorter are windows of one, which are no more than the ablation.
        shorter = map(Question, WindowFirst(max_removed).smaller()[:-1])
        for question in (*([] if asked is None else [asked]), windows, *shorter):
            if shapley := self._shapley(question):
                return question, shapley
        return windows, ()

    def _shapley(self, question: Question) -> tuple[ShapleyPoint, ...]:
        """Return the answer over the documents that have every coalition needed; () where none has."""
        game = question.of(self._players)
        scores = self._table.scores if question.players == SUBLAYERS else game.by_units(self._table.scores)
        (outcomes, absent), ratio = game.read_most(scores, self._table.ratio)
        if absent or not outcomes or not len(outcomes[INTACT]):
            return ()
        verdicts = self._verdicts(question, game, scores) if ratio is None else None  # they are about means
        found = estimate(game.estimator, outcomes, game.units, ratio=ratio)
        return tuple(shapley_points(replace(found, verdicts=verdicts), game.grouping))

    def _verdicts(self, question: Question, game: Game, scores: Scores) -> Verdicts | None:
        if self._order is None:
            return None
        race = self._races.setdefault(question, race_by(self.column, self._assignment.task.mean_metrics))
        return stored_verdicts(game, scores, self._in_order(self._order), race)

    def _costs(self, asked: UntilCost) -> CostVerdicts | None:
        """Return what is decided of the players' costs; None where that cannot be."""
        if self._order is None or self._table.ratio is not None:
            return None
        with suppress(CornerstoneError):  # of this value nothing can cost so much
            race = cost_race_by(self.column, self._assignment.task.mean_metrics, asked.cost, asked.confidence)
            units = grouping(SUBLAYERS, self._players)
            return stored_costs(units, self._table.scores, self._in_order(self._order), race)
        return None

    def _in_order(self, order: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the places of the documents that have the value, in the order in which they were drawn."""
        return np.asarray(order[self._table.having()[order]])


def live_task_key(assignment: Assignment, value: str | None = None) -> str:
    """Return a key for a model, task, data set, choice of documents and, where it is not the task's own, value."""
    documents = [document.key for document in assignment.documents]
    identity = [assignment.model.fingerprint, assignment.task.fingerprint, assignment.data.fingerprint, documents]
    own = resolve_if_any(assignment.task, assignment.documents, None)
    return digest_of(identity if value in {None, own} else [*identity, value])[:12]
