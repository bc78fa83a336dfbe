"""Read Shapley values of one group of results, and what is missing for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import duckdb
import numpy as np

from core.coalitions.grouping import Grouping
from core.coalitions.players import Player
from core.coalitions.schedules import INTACT
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.estimators.estimate import Estimate, estimate
from core.estimators.estimator import Estimator, Outcomes
from core.estimators.question import Game, Question
from core.estimators.racing import stored_verdicts
from core.estimators.setting import settings_of
from core.statistics.ratio import Ratio
from core.statistics.verdicts import Verdicts
from core.summaries.summarize import complete_documents, shapley_points
from core.values.raced import race_by
from store.reading.answer import Found
from store.reading.gaps import gap_if_too_large, lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.reading.pooled import Values
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
        with gap_if_too_large(found.gaps, group.title):
            _add(found, _Asked(group, question, value), values, players)
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


def verdicts_of(group: Group, value: str, game: Game, values: Values) -> Verdicts | None:
    """Return what is decided of the largest units.

    It is None where the documents are no random sample of one task, or where the value is no mean over them.
    """
    if group.draw is None or values.places is None or values.ratio is not None:
        return None
    return stored_verdicts(game, values.scores, values.order(group.draw), race_by(value, group.mean_metrics))


@dataclass(frozen=True, slots=True)
class _Asked:
    group: Group
    question: Question
    value: str


def _add(found: Rows, asked: _Asked, values: Values, players: Sequence[Player]) -> None:
    """Answer one question, from shorter windows if those asked for are not all stored."""
    group, question = asked.group, asked.question
    game = question.of(players)
    try:
        wanted = len(game.estimator.coalitions(game.units))
    except CornerstoneError as error:  # too many units, of this model
        found.gaps.append(Gap(f"{group.title}: {error}"))
        return
    if INTACT not in values.scores:
        found.gaps.append(no_intact(group, question, asked.value))
        return
    (outcomes, absent), ratio = game.read_most(values.scores, values.ratio)
    if outcomes and not absent:
        _estimated(found, asked, game, values, (outcomes, ratio))
        return
    for shorter in _shorter(question):
        (outcomes, lacking), ratio = shorter.of(players).read_most(values.scores, values.ratio)
        if outcomes and not lacking:
            part = replace(asked, question=shorter)
            _estimated(found, part, shorter.of(players), values, (outcomes, ratio), partial=True)
            found.partial.append(only_shorter(group, question, len(absent), wanted, shorter))
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


def _estimated(
    found: Rows,
    asked: _Asked,
    game: Game,
    values: Values,
    read: tuple[Outcomes, Ratio | None],
    *,
    partial: bool = False,
) -> None:
    outcomes, ratio = read
    verdicts = verdicts_of(asked.group, asked.value, game, values)
    result = replace(estimate(game.estimator, outcomes, game.units, ratio=ratio), verdicts=verdicts)
    found.rows += _rows(asked, game.grouping, result, partial=partial)
    found.notes += _doubts(asked, outcomes)


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


def _doubts(asked: _Asked, outcomes: Outcomes) -> Iterator[str]:
    """Yield sentences on why an estimate says little."""
    if asked.question.estimator.extrapolates:
        yield (
            f"{asked.group.title}: {asked.question.estimator.name} extrapolates to coalitions that were never removed; "
            "its intervals are over documents and hold nothing of how far off that may be"
        )
    complete = complete_documents(outcomes, list(outcomes))
    n = len(complete[INTACT])
    if n == 1:
        yield f"{asked.group.title}: 1 document alone tells no standard error, and its intervals say little"
    elif all(np.array_equal(values, complete[INTACT]) for values in complete.values()):
        yield (
            f"{asked.group.title}: no removal changes the {asked.value} of any of the {n} documents, so no unit "
            "can be told from another"
        )


def _once(found: Sequence[_Said]) -> list[_Said]:
    return [one for at, one in enumerate(found) if one not in found[:at]]
