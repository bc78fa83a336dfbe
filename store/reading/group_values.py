"""Read the values of a group: a matrix of removed sets and documents."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import Grouping
from core.coalitions.players import Removed
from core.estimators.question import units_of
from core.values.derived import NO_GOLD, Answers
from store.file.value_columns import value_columns
from store.reading.groups import Group
from store.reading.pooled import Values, pooled


def read_values(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, longest: int, units: Grouping | None = None
) -> Values:
    """Read one of a group's values, for removed sets of up to ``longest`` players.

    With ``units``, ``longest`` counts units of that grouping, and removed sets hold the numbers of units.
    """
    if group.parts:
        return _read_parts(db, group, value, longest, units)
    wanted = dict(_wanted(db, longest, units))
    documents = documents_by_place(db, group)
    every = Answers.of(list(documents.values()))
    columns = value_columns(value, group.mean_metrics, every)
    outcomes, parameters = group.outcomes
    rows = db.execute(
        f"""SELECT (m.doc_id::BIGINT << 32) + m.document AS place, o.coalition, {columns.select}
        {outcomes} AND o.coalition IN (SELECT unnest(?::INTEGER[]))""",
        [*columns.parameters, *parameters, list(wanted)],
    ).fetchnumpy()
    coalitions, row_of = _numbered(np.array(sorted(wanted)), np.asarray(rows["coalition"]))
    places, column_of = _numbered(np.array(sorted(documents)), np.asarray(rows["place"]))
    answers = Answers.of([documents[int(place)] for place in places])
    found = columns.values(rows, answers.at(column_of))
    matrix = np.full((len(coalitions), len(places)), np.nan)
    matrix[row_of, column_of] = found
    choices = answers.choices.astype(np.float64)
    lacking = not_finite = 0
    without = np.zeros(len(places), dtype=np.bool_)
    without[column_of[~np.isfinite(found)]] = True
    weights = columns.by_document(rows, column_of, len(places))
    if columns.derived is not None or weights is not None:
        told = answers.gold != NO_GOLD if weights is None else np.isfinite(weights)
        finite = ~without
        matrix, choices, places, without = matrix[:, finite], choices[finite], places[finite], without[finite]
        weights = None if weights is None else weights[finite]
        lacking, not_finite = int((~told).sum()), int((told & ~finite).sum())
    scores = {wanted[int(coalition)]: row for coalition, row in zip(coalitions, matrix, strict=True)}
    ratio = None if columns.corpus is None or weights is None else columns.corpus.ratio(weights)
    return Values(scores, choices, lacking, not_finite, places, ratio, without if without.any() else None)


def _read_parts(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, longest: int, units: Grouping | None
) -> Values:
    """Read a value of a group of tasks. As in lm-eval, tasks without the value do not count.

    lm-eval weighs no values but its own metrics; others are weighed as the first of those.
    """
    parts = [part for part in group.parts if value in part.values] if group.whole else []
    by_size = dict(group.weights).get(value, group.weights[0][1])
    return pooled([read_values(db, part, value, longest, units) for part in parts], by_size=by_size)


def _wanted(db: duckdb.DuckDBPyConnection, longest: int, units: Grouping | None) -> Iterator[tuple[int, Removed]]:
    """Yield the numbers of the stored coalitions that are asked for, each with its removed set."""
    for number, members in db.execute("SELECT coalition, removed FROM coalitions").fetchall():
        removed = tuple(members) if units is None else units_of(units, tuple(members))
        if removed is not None and len(removed) <= longest:
            yield int(number), removed


def _numbered(known: NDArray[np.int64], seen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the entries of the sorted ``known`` that are in ``seen``, and the place of each ``seen`` among them.

    It is a faster ``numpy.unique`` for few distinct values.
    """
    at = np.searchsorted(known, seen)
    there = np.bincount(at, minlength=len(known)) > 0
    return known[there], (np.cumsum(there) - 1)[at]


def documents_by_place(db: duckdb.DuckDBPyConnection, group: Group) -> dict[int, tuple[list[int], list[int]]]:
    """Return the right choices of each document and the lengths of its choices in characters, by its place."""
    rows = db.execute(
        """SELECT (m.doc_id::BIGINT << 32) + m.document, d.gold, [length(choice) FOR choice IN d.choices]
        FROM members m JOIN documents d ON d.document = m.document WHERE m.dataset = ?""",
        [group.dataset],
    ).fetchall()
    return {int(place): (gold, lengths) for place, gold, lengths in rows}
