"""Compare the values of a task: which decides the top soonest, and does it rank as the task's own value does?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT
from core.config.gap import Gap
from core.estimators.question import Game, Question
from core.estimators.windows import WindowFirst
from core.statistics.common_top import in_common
from core.statistics.defined import defined
from core.statistics.intervals import FloatArray
from core.statistics.rank_correlation import DECIMALS, Correlation, correlated, reliability, spearman
from core.statistics.signal import signal
from core.statistics.verdicts import TOP
from store.comparison_rows import ValueRow
from store.reading.answer import Found
from store.reading.contributions import Contributions, complete
from store.reading.gaps import gap_if_too_large, lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.reading.pooled import Values
from store.reading.shapley import verdicts_of
from store.reading.soonest import soonest

_FEWEST_DOCUMENTS = 2


def read_values_compared(
    db: duckdb.DuckDBPyConnection, group: Group, max_removed: int, reference: str
) -> Found[ValueRow]:
    """Read a row for each value of a task, from the windows of its sublayers.

    If windows of that length are not all stored, the longest that are make a partial answer.

    Args:
        db: an open store.
        group: the results to read, on one task.
        max_removed: the longest window.
        reference: the value that the others are compared with.
    """
    found: Found[ValueRow] = Found()
    asked = _Asked(group, Question(WindowFirst(max_removed)), reference)
    own = read_values(db, group, reference, max_removed)
    chosen = _longest(asked, own)
    if chosen is None:
        found.gaps.append(_lacking(asked, own))
        return found
    if chosen != asked.question:
        found.partial.append(only_shorter(group, asked.question, asked.missing(own), len(asked.coalitions), chosen))
        asked = replace(asked, question=chosen)
    with gap_if_too_large(found.gaps, f"{group.title}, {reference}"):
        _add(db, found, asked, own, max_removed)
    return found


def _add(db: duckdb.DuckDBPyConnection, found: Found[ValueRow], asked: _Asked, own: Values, max_removed: int) -> None:
    """Add a row for each value, beside the reference's own values; a value that is too large has a gap.

    Raises:
        TooLargeError: the reference is.
    """
    group, reference = asked.group, asked.reference
    compared_with = Contributions.of(own, asked.game)
    for value in group.values:
        values = own if value == reference else read_values(db, group, value, max_removed)
        found.notes += left_out(group, value, values)
        with gap_if_too_large(found.gaps, f"{group.title}, {value}"):
            _compare(found, asked, value, values, compared_with)
    found.notes += soonest(group.title, found.rows)


@dataclass(frozen=True, slots=True)
class _Asked:
    group: Group
    question: Question
    reference: str

    @property
    def game(self) -> Game:
        return self.question.of(self.group.players)

    @property
    def coalitions(self) -> list[Removed]:
        game = self.game
        return game.estimator.coalitions(game.units)

    def missing(self, values: Values) -> int:
        """Return how many coalitions no document has."""
        return len(set(self.coalitions) - set(values.scores))


def _longest(asked: _Asked, values: Values) -> Question | None:
    """Return the question with the longest windows that some document has in full; None if there are none."""
    question = asked.question
    for estimator in (question.estimator, *question.estimator.smaller()):
        shorter = replace(question, estimator=estimator)
        if complete(values, replace(asked, question=shorter).coalitions).any():
            return shorter
    return None


def _lacking(asked: _Asked, values: Values) -> Gap:
    group, wanted = asked.group, len(asked.coalitions)
    if INTACT not in values.scores:
        return no_intact(group, asked.question)
    if missing := asked.missing(values):
        return lacks_coalitions(group, asked.question, missing, wanted)
    return no_document(group, asked.question, wanted)


def _compare(found: Found[ValueRow], asked: _Asked, value: str, values: Values, reference: Contributions) -> None:
    """Add the row of a value, over the documents that have both it and the reference."""
    contributions = Contributions.of(values, asked.game)
    places = np.intersect1d(contributions.places, reference.places)
    if len(places) < _FEWEST_DOCUMENTS:
        found.gaps.append(_too_few(asked, value, len(places)))
        return
    each = contributions.on(places)
    game = asked.game
    found.rows.append(
        ValueRow(
            **asked.group.heading,
            value=value,
            reference=asked.reference,
            estimator=game.estimator.name,
            max_removed=game.estimator.most_removed(game.units),
            n=len(places),
            **_leaders(each, contributions.sizes, game.grouping.labels),
            **_decided(asked, value, values, places),
            **_likeness(each, None if value == asked.reference else reference.on(places)),
            reliability=defined(reliability(each)),
        )
    )


def _too_few(asked: _Asked, value: str, documents: int) -> Gap:
    count = "1 document has" if documents else "no document has"
    both = value if value == asked.reference else f"{value} and {asked.reference}"
    return Gap(f"{asked.group.title}: {count} {both} under all coalitions; {_FEWEST_DOCUMENTS} are needed to compare")


def _leaders(contributions: FloatArray, sizes: FloatArray, labels: Sequence[str]) -> dict[str, Any]:
    """Return the columns on the largest unit and on the last of the top."""
    phi = np.round(contributions.mean(axis=1), DECIMALS)
    order = np.argsort(-phi, kind="stable")
    columns: dict[str, Any] = {"leader": labels[order[0]] if np.ptp(phi) > 0 else None}
    for name, place in (("t", 0), ("t3", TOP - 1)):
        tells = place < len(order) and columns["leader"] is not None
        found = signal(contributions[order[place]], float(sizes[order[place]])) if tells else None
        for end, number in (("", "t"), ("_low", "low"), ("_high", "high")):
            columns[name + end] = None if found is None else defined(getattr(found, number))
    return columns


def _decided(asked: _Asked, value: str, values: Values, places: NDArray[np.int64]) -> dict[str, Any]:
    """Return the columns on what some of the documents decide, and on how many decide all."""
    found = verdicts_of(asked.group, value, asked.game, values.at(places))
    if found is None:
        return dict.fromkeys(("inside", "out", "unsettled", "documents"))
    return {
        "inside": len(found.units("in")),
        "out": len(found.units("out")),
        "unsettled": len(found.units("open")),
        "documents": None if found.more_documents is None else len(places) + found.more_documents,
    }


def _likeness(contributions: FloatArray, reference: FloatArray | None) -> dict[str, Any]:
    """Return the columns on how like the reference a value ranks. Both measures are of the same resamples."""
    measures: dict[str, Correlation] = {"rho": spearman, "common": partial(in_common, k=TOP)}
    columns: dict[str, Any] = {}
    for name, measure in measures.items():
        told = reference is not None and (name != "common" or len(contributions) > TOP)
        found = correlated(measure, contributions, reference) if reference is not None and told else None
        for end, number in (("", "value"), ("_low", "low"), ("_high", "high")):
            columns[name + end] = None if found is None else defined(getattr(found, number))
    return columns
