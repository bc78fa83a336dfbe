"""Read Shapley values of one group of results, and what is missing for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import duckdb
import numpy as np

from core.coalitions.grouping import Grouping
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import INTACT
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.estimators.estimate import Estimate, estimate
from core.estimators.estimator import Estimator, Outcomes
from core.estimators.question import Game, Question
from core.estimators.setting import settings_of
from core.statistics.intervals import FloatArray
from core.summaries.summarize import shapley_points
from store.reading.answer import Found
from store.reading.gaps import lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.groups import Group, read_values
from store.rows import ShapleyRow

Rows = Found[ShapleyRow]
_Said = TypeVar("_Said", str, Gap)


def read_shapley(db: duckdb.DuckDBPyConnection, group: Group, questions: Sequence[Question], value: str) -> Rows:
    """Estimate Shapley values of one value, by several questions over one grouping.

    Raises:
        CornerstoneError: there is no such estimator or grouping, or a setting makes none.
    """
    players = group.players
    games = [question.of(players) for question in questions]
    longest = max(game.estimator.most_removed(game.units) for game in games)
    values = read_values(db, group, value, longest, games[0].grouping)
    found: Rows = Found(notes=left_out(group, value, values))
    for question in questions:
        _add(found, _Asked(group, question, value), values.scores, players)
    found.notes, found.partial, found.gaps = _once(found.notes), _once(found.partial), _once(found.gaps)
    return found


def settings_columns(estimator: Estimator, units: int) -> dict[str, Any]:
    """Return the columns of a row that say how an estimator was set, in numbers and in words."""
    own = {setting.name: getattr(estimator, setting.name) for setting in settings_of(type(estimator))}
    return {
        **{name: own.get(name) for name in ("permutations", "seed", "tolerance")},
        "max_removed": estimator.most_removed(units),
        "settings": ", ".join(estimator.in_words()),
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    group: Group
    question: Question
    value: str


def _add(found: Rows, asked: _Asked, scores: Mapping[Removed, FloatArray], players: Sequence[Player]) -> None:
    """Answer one question, from shorter windows if those asked for are not all stored."""
    group, question = asked.group, asked.question
    game = question.of(players)
    try:
        wanted = len(game.estimator.coalitions(game.units))
    except CornerstoneError as error:  # too many units, of this model
        found.gaps.append(Gap(f"{group.title}: {error}"))
        return
    if INTACT not in scores:
        found.gaps.append(no_intact(group, question, asked.value))
        return
    outcomes, absent = game.read_complete(scores)
    if outcomes and not absent:
        _estimated(found, asked, game, outcomes)
        return
    for shorter in _shorter(question):
        outcomes, lacking = shorter.of(players).read_complete(scores)
        if outcomes and not lacking:
            found.partial.append(only_shorter(group, question, len(absent), wanted, shorter))
            part = replace(asked, question=shorter)
            _estimated(found, part, shorter.of(players), outcomes, partial=True)
            return
    if absent:
        found.gaps.append(lacks_coalitions(group, question, len(absent), wanted, asked.value))
    else:
        found.gaps.append(no_document(group, question, wanted, asked.value))


def _shorter(question: Question) -> Iterator[Question]:
    """Yield the question with smaller settings, the largest first, if its coalitions are known beforehand."""
    if not question.estimator.in_rounds:
        for smaller in question.estimator.smaller():
            yield replace(question, estimator=smaller)


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
            partial=partial,
            **settings_columns(asked.question.estimator, len(grouping.units)),
            **asdict(point),
        )


def _doubts(asked: _Asked, outcomes: Outcomes, result: Estimate) -> Iterator[str]:
    """Yield sentences on why an estimate says little."""
    if result.n == 1:
        yield f"{asked.group.title}: 1 document alone tells no standard error, and its intervals say little"
    elif all(np.array_equal(values, outcomes[INTACT]) for values in outcomes.values()):
        yield (
            f"{asked.group.title}: no removal changes the {asked.value} of any of the {result.n} documents, so no unit "
            "can be told from another"
        )


def _once(found: Sequence[_Said]) -> list[_Said]:
    return [one for at, one in enumerate(found) if one not in found[:at]]
