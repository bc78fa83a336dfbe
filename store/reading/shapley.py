"""Shapley values of one group of results: what can be estimated from what is stored, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from core.coalitions.grouping import Grouping
from core.coalitions.players import Player, Removed, players_of
from core.coalitions.schedules import INTACT
from core.errors import CornerstoneError
from core.estimators.estimate import Estimate, estimate
from core.estimators.estimator import Outcomes
from core.estimators.question import Game, Question
from core.estimators.registry import WINDOW_ESTIMATORS
from core.statistics.intervals import FloatArray
from core.summaries.summarize import shapley_points
from store.reading.answer import Found
from store.reading.gaps import lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.groups import Group, read_values
from store.rows import ShapleyRow

Rows = Found[ShapleyRow]


def read_shapley(
    db: duckdb.DuckDBPyConnection, group: Group, store: Path, questions: Sequence[Question], value: str
) -> Rows:
    """Estimates of one value, by estimators of one grouping.

    Raises:
        CornerstoneError: there is no such estimator or grouping, or a setting makes none.
    """
    players = players_of(group.kinds)
    games = [question.of(players) for question in questions]
    longest = max(most_removed(question, game.units) for question, game in zip(questions, games, strict=True))
    values = read_values(db, group, value, longest, games[0].grouping)
    found: Rows = Found(notes=left_out(group, value, values))
    for question in questions:
        _add(found, _Asked(group, store, question, value), values.scores, players)
    found.notes, found.gaps = _once(found.notes), _once(found.gaps)
    return found


def most_removed(question: Question, units: int) -> int:
    """How many units are removed at most in the coalitions that an estimate reads."""
    if question.estimator in WINDOW_ESTIMATORS:
        return question.max_removed
    return 1 if question.estimator == "leave-one-out" else units


def walk_settings(question: Question) -> dict[str, Any]:
    """The columns of a row that say how permutation walked; none for other estimators."""
    if question.estimator != "permutation":
        return {}
    return {"permutations": question.permutations, "seed": question.seed, "tolerance": question.tolerance}


@dataclass(frozen=True, slots=True)
class _Asked:
    group: Group
    store: Path
    question: Question
    value: str


def _add(found: Rows, asked: _Asked, scores: Mapping[Removed, FloatArray], players: Sequence[Player]) -> None:
    """Answer one question, from shorter windows where those asked for are not all there."""
    group, store, question = asked.group, asked.store, asked.question
    game = question.of(players)
    try:
        wanted = 0 if question.estimator == "permutation" else len(game.estimator.missing({}, game.units))
    except CornerstoneError as error:  # too many units, of this model
        found.gaps.append(f"{group.title}: {error}")
        return
    if INTACT not in scores:
        found.gaps.append(no_intact(group, store, question, asked.value))
        return
    outcomes, absent = game.read_complete(scores)
    if outcomes and not absent:
        _estimated(found, asked, game, outcomes)
        return
    for shorter in _shorter(question):
        outcomes, lacking = shorter.of(players).read_complete(scores)
        if outcomes and not lacking:
            found.notes.append(only_shorter(group, store, question, len(absent), wanted, shorter.max_removed))
            part = replace(asked, question=shorter)
            _estimated(found, part, shorter.of(players), outcomes, partial=True)
            return
    if absent:
        found.gaps.append(lacks_coalitions(group, store, question, len(absent), wanted, asked.value))
    else:
        found.gaps.append(no_document(group, store, question, wanted, asked.value))


def _shorter(question: Question) -> Iterator[Question]:
    """The same question of shorter windows, the longest first."""
    if question.estimator in WINDOW_ESTIMATORS:
        for size in range(question.max_removed - 1, 0, -1):
            yield replace(question, max_removed=size)


def _estimated(found: Rows, asked: _Asked, game: Game, outcomes: Outcomes, *, partial: bool = False) -> None:
    result = estimate(game.estimator, outcomes, game.units)
    found.rows += _rows(asked, game.grouping, result, partial=partial)
    found.notes += _doubts(asked, outcomes, result)


def _rows(asked: _Asked, grouping: Grouping, result: Estimate, *, partial: bool) -> Iterator[ShapleyRow]:
    for point in shapley_points(result, grouping):
        yield ShapleyRow(
            **asked.group.heading,
            value=asked.value,
            estimator=result.estimator,
            max_removed=most_removed(asked.question, len(grouping.units)),
            partial=partial,
            **walk_settings(asked.question),
            **asdict(point),
        )


def _doubts(asked: _Asked, outcomes: Outcomes, result: Estimate) -> Iterator[str]:
    """What makes an estimate say little."""
    if result.n == 1:
        yield f"{asked.group.title}: 1 document alone tells no standard error, and its intervals say little"
    elif all(np.array_equal(values, outcomes[INTACT]) for values in outcomes.values()):
        yield (
            f"{asked.group.title}: no removal changes the {asked.value} of any of the {result.n} documents, so no unit "
            "can be told from another"
        )


def _once(sentences: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(sentences))
