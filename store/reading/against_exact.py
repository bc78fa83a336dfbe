"""Compare estimators with the exact values of the same units, from what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from core.coalitions.grouping import SUBLAYERS, grouping
from core.coalitions.players import Player, Removed
from core.coalitions.schedules import INTACT
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.estimators.against_exact import Agreement, Measured, agreement, agreement_of_values
from core.estimators.estimator import Estimator, Outcomes
from core.estimators.exact import Exact
from core.estimators.question import Game, Question
from core.estimators.sizes import unit_sizes
from core.shapiq_approximators import approximations
from core.statistics.intervals import FloatArray
from store.comparison_rows import AgreementRow
from store.reading.answer import Found
from store.reading.gaps import gap_if_too_large, lacks_coalitions, left_out, no_document, no_exact, no_intact
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.reading.shapley import settings_columns

_FEWEST_DOCUMENTS = 2
_ADVISED_UNITS = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """The estimators to compare with exact values, and the units to compare them on.

    Attributes:
        estimators: the estimators with their settings; each is shown under all of its ``variants``.
        players: the grouping; None for every one that has its exact values stored.
        top: how many units count as the top.
        drawn_by: the seed with which shapiq's approximators draw coalitions; None to leave them out.
    """

    estimators: tuple[Estimator, ...]
    players: str | None
    top: int
    drawn_by: int | None = None


def read_agreement(db: duckdb.DuckDBPyConnection, group: Group, value: str, wanted: Comparison) -> Found[AgreementRow]:
    """Compare estimators with the exact values of the same units.

    Args:
        db: an open store.
        group: the results to read.
        value: the name of the value to read.
        wanted: the estimators and the units.
    """
    found: Found[AgreementRow] = Found()
    players = group.players
    names = (
        [wanted.players]
        if wanted.players is not None
        else _telling(list(_stored_groupings(db, group, players)), players, wanted.top)
    )
    if not names:
        found.gaps.append(no_exact(group, _advised(players)))
    for name in names:
        with gap_if_too_large(found.gaps, group.title):
            _compare(db, found, _Asked(group, name, value, wanted))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    group: Group
    players: str
    value: str
    wanted: Comparison


def _compare(db: duckdb.DuckDBPyConnection, found: Found[AgreementRow], asked: _Asked) -> None:
    group, exact = asked.group, Question(Exact(), asked.players)
    players = group.players
    game = exact.of(players)
    try:
        wanted = len(game.estimator.missing({}, game.units))
    except CornerstoneError as error:
        found.gaps.append(Gap(f"{group.title}: {error}"))
        return
    values = read_values(db, group, asked.value, game.units, game.grouping)
    found.notes += left_out(group, asked.value, values)
    outcomes, absent = game.read_complete(values.scores, values.ratio)
    if INTACT not in values.scores:
        found.gaps.append(no_intact(group, exact))
    elif absent:
        found.gaps.append(lacks_coalitions(group, exact, len(absent), wanted))
    elif not outcomes:
        found.gaps.append(no_document(group, exact, wanted))
    elif len(outcomes[INTACT]) < _FEWEST_DOCUMENTS:
        found.gaps.append(Gap(f"{group.title}: 1 document is too few to compare estimators on"))
    else:
        unit_sizes(game.estimator, outcomes, game.units, values.ratio)  # refuses perplexities that cannot be added up
        found.rows += _rows(asked, game, outcomes)


def _rows(asked: _Asked, exact: Game, outcomes: Outcomes) -> Iterator[AgreementRow]:
    reference = exact.estimator.contributions(outcomes, exact.units)
    variants = (variant for each in asked.wanted.estimators for variant in each.variants(exact.units))
    most_read: dict[str, int] = {}
    for estimator in variants:
        read, _ = Game(exact.grouping, estimator).read(outcomes)
        if estimator.shapley:
            most_read[estimator.schedule] = max(len(read), most_read.get(estimator.schedule, 0))
        compared = agreement(estimator.contributions(read, exact.units), reference, k=asked.wanted.top)
        yield _row(asked, estimator.name, settings_columns(estimator, exact.units), exact.units, len(read), compared)
    if asked.wanted.drawn_by is not None:
        budgets = sorted(set(most_read.values()))
        yield from _approximated(asked, outcomes, reference, budgets, asked.wanted.drawn_by)


def _approximated(
    asked: _Asked, outcomes: Outcomes, reference: FloatArray, budgets: Sequence[int], seed: int
) -> Iterator[AgreementRow]:
    """Yield the rows of shapiq's approximators, which may read as many coalitions as our estimators do."""
    units = len(reference)
    for one in approximations(outcomes, units, budgets, seed):
        compared = agreement_of_values(one.phi, reference, k=asked.wanted.top)
        settings = {"max_removed": units, "seed": seed, "settings": f"budget {one.budget}, seed {seed}"}
        yield _row(asked, f"shapiq {one.name}", settings, units, one.coalitions, compared)


def _row(
    asked: _Asked, name: str, settings: Mapping[str, Any], units: int, coalitions: int, compared: Agreement
) -> AgreementRow:
    measured: dict[str, Any] = {}
    for column in ("spearman", "kendall", "bias", "rmse", "mae", "worst", "top"):
        found: Measured = getattr(compared, column)
        measured |= {column: found.value, f"{column}_low": found.low, f"{column}_high": found.high}
    return AgreementRow(
        **asked.group.heading,
        value=asked.value,
        players=asked.players,
        units=units,
        estimator=name,
        coalitions=coalitions,
        n=compared.n,
        k=compared.k,
        **settings,
        **measured,
    )


def _stored_groupings(db: duckdb.DuckDBPyConnection, group: Group, players: tuple[Player, ...]) -> Iterator[str]:
    """Yield the groupings of two units or more of which every coalition is stored."""
    clause, parameters = group.outcomes
    rows = db.execute(f"SELECT DISTINCT c.removed {clause}", parameters).fetchall()
    stored: set[Removed] = {tuple(removed) for (removed,) in rows}
    layers = players[-1].layer + 1
    for name in (SUBLAYERS, "layers", *(f"blocks:{size}" for size in range(2, layers)), "kinds"):
        game = Question(Exact(), name).of(players)
        if game.units > 1 and 2**game.units <= len(stored):
            wanted = map(game.grouping.removed, game.estimator.missing({}, game.units))
            if all(removed in stored for removed in wanted):
                yield name


def _telling(names: list[str], players: tuple[Player, ...], top: int) -> list[str]:
    """Return the groupings with more units than the top, if there are any: a top of all units says nothing."""
    return [name for name in names if len(grouping(name, players).units) > top] or names


def _advised(players: tuple[Player, ...]) -> str:
    """Return a grouping of layers with enough units to compare, and few enough to evaluate exactly."""
    layers = players[-1].layer + 1
    size = -(-layers // _ADVISED_UNITS)
    return f"blocks:{size}" if size > 1 else "layers"
