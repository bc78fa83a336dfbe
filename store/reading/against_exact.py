"""Estimators against exact values of the same units, from what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from core.coalitions.grouping import SUBLAYERS, grouping
from core.coalitions.players import Player, Removed, players_of
from core.coalitions.schedules import INTACT
from core.errors import CornerstoneError
from core.estimators.against_exact import Agreement, Measured, agreement
from core.estimators.estimator import Outcomes
from core.estimators.question import Game, Question
from core.estimators.registry import WINDOW_ESTIMATORS
from store.reading.answer import Found
from store.reading.gaps import lacks_coalitions, left_out, no_document, no_exact, no_intact
from store.reading.groups import Group, read_values
from store.reading.shapley import most_removed, walk_settings
from store.rows import AgreementRow

_FEWEST_DOCUMENTS = 2
_ADVISED_UNITS = 10


def read_agreement(
    db: duckdb.DuckDBPyConnection, group: Group, store: Path, question: Question, value: str, *, top: int, every: bool
) -> Found[AgreementRow]:
    """Compare every estimator with the exact values of a grouping.

    Args:
        db: an open store.
        group: of which results.
        store: where they are, to be named in a command.
        question: the grouping, the longest windows and the settings of permutation.
        value: which value.
        top: how many units count as the top.
        every: the groupings that have their exact values stored, in place of the question's.
    """
    found: Found[AgreementRow] = Found()
    players = players_of(group.kinds)
    names = _telling(list(_stored_groupings(db, group, players)), players, top) if every else [question.players]
    if not names:
        found.gaps.append(no_exact(group, store, _advised(players)))
    for name in names:
        _compare(db, found, _Asked(group, store, replace(question, players=name), value, top))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    group: Group
    store: Path
    question: Question
    value: str
    top: int


def _compare(db: duckdb.DuckDBPyConnection, found: Found[AgreementRow], asked: _Asked) -> None:
    group, exact = asked.group, replace(asked.question, estimator="exact")
    players = players_of(group.kinds)
    game = exact.of(players)
    try:
        wanted = len(game.estimator.missing({}, game.units))
    except CornerstoneError as error:
        found.gaps.append(f"{group.title}: {error}")
        return
    values = read_values(db, group, asked.value, game.units, game.grouping)
    found.notes += left_out(group, asked.value, values)
    outcomes, absent = game.read_complete(values.scores)
    if INTACT not in values.scores:
        found.gaps.append(no_intact(group, asked.store, exact))
    elif absent:
        found.gaps.append(lacks_coalitions(group, asked.store, exact, len(absent), wanted))
    elif not outcomes:
        found.gaps.append(no_document(group, asked.store, exact, wanted))
    elif len(outcomes[INTACT]) < _FEWEST_DOCUMENTS:
        found.gaps.append(f"{group.title}: 1 document is too few to compare estimators on")
    else:
        found.rows += _rows(asked, game, outcomes)


def _rows(asked: _Asked, exact: Game, outcomes: Outcomes) -> Iterator[AgreementRow]:
    reference = exact.estimator.contributions(outcomes, exact.units)
    for question in _estimates(asked.question, exact.units):
        estimator = question.of(players_of(asked.group.kinds)).estimator
        read, _ = Game(exact.grouping, estimator).read(outcomes)
        compared = agreement(estimator.contributions(read, exact.units), reference, k=asked.top)
        yield _row(asked, question, exact.units, len(read), compared)


def _row(asked: _Asked, question: Question, units: int, coalitions: int, compared: Agreement) -> AgreementRow:
    measured: dict[str, Any] = {}
    for name in ("spearman", "kendall", "bias", "rmse", "top"):
        found: Measured = getattr(compared, name)
        measured |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return AgreementRow(
        **asked.group.heading,
        value=asked.value,
        players=question.players,
        units=units,
        estimator=question.estimator,
        max_removed=most_removed(question, units),
        coalitions=coalitions,
        n=compared.n,
        k=compared.k,
        **walk_settings(question),
        **measured,
    )


def _estimates(question: Question, units: int) -> Iterator[Question]:
    """Every estimate that the coalitions of all units can make, windows by their length."""
    for name in WINDOW_ESTIMATORS:
        for size in range(2, min(question.max_removed, units) + 1):
            yield replace(question, estimator=name, max_removed=size)
    yield replace(question, estimator="permutation")
    yield replace(question, estimator="leave-one-out", max_removed=1)


def _stored_groupings(db: duckdb.DuckDBPyConnection, group: Group, players: tuple[Player, ...]) -> Iterator[str]:
    """The groupings of two units or more of which every coalition is stored."""
    clause, parameters = group.outcomes
    rows = db.execute(f"SELECT DISTINCT c.removed {clause}", parameters).fetchall()
    stored: set[Removed] = {tuple(removed) for (removed,) in rows}
    layers = players[-1].layer + 1
    for name in (SUBLAYERS, "layers", *(f"blocks:{size}" for size in range(2, layers)), "kinds"):
        units = grouping(name, players)
        game = Question("exact", name).of(players)
        if len(units.units) > 1 and 2 ** len(units.units) <= len(stored):
            wanted = map(units.removed, game.estimator.missing({}, game.units))
            if all(removed in stored for removed in wanted):
                yield name


def _telling(names: list[str], players: tuple[Player, ...], top: int) -> list[str]:
    """Those with more units than the top has, if there are any: a top of all units says nothing."""
    return [name for name in names if len(grouping(name, players).units) > top] or names


def _advised(players: tuple[Player, ...]) -> str:
    """Blocks of layers, so many that comparing them tells something and evaluating them ends."""
    layers = players[-1].layer + 1
    size = -(-layers // _ADVISED_UNITS)
    return f"blocks:{size}" if size > 1 else "layers"
