"""Choosing what to read: groups of results that belong together, one a model, task and data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import Grouping
from core.coalitions.players import PlayerKind, Removed
from core.errors import CornerstoneError
from core.estimators.question import Scores, units_of
from core.machine.process import is_elsewhere
from core.records.fingerprint import short_id
from core.statistics.intervals import FloatArray
from core.values.derived import DERIVED, NO_GOLD
from store.file.value_columns import Answers, value_columns
from store.rows import Selection

_LISTED = 8


@dataclass(frozen=True, slots=True)
class Group:
    """Results that may be compared: one model on one task over one data set.

    ``asked`` holds the doc_ids and the coalition numbers of the run selected; None where no run is. ``config`` is
    what the run of most documents was asked (JSON), the latest of those that have as many. ``derives`` tells whether
    any document has the values that ``values.derived`` derives. ``writing`` are runs of other processes that go on.
    """

    model: int
    dataset: int
    model_name: str
    task_name: str
    model_id: str
    task_id: str
    kinds: tuple[PlayerKind, ...]
    mean_metrics: tuple[str, ...]
    other_metrics: tuple[str, ...]
    config: str
    asked: tuple[list[int], list[int]] | None
    derives: bool
    writing: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """What may be read of it as a value: the task's metrics that are means, and what is derived."""
        return tuple(dict.fromkeys((*self.mean_metrics, *(DERIVED if self.derives else ()))))

    @property
    def title(self) -> str:
        return f"{self.model_name} on {self.task_name}"

    @property
    def heading(self) -> dict[str, Any]:
        """The columns by which a row says what it is of."""
        return {
            "model": self.model_name,
            "task": self.task_name,
            "model_id": self.model_id,
            "task_id": self.task_id,
        }

    @property
    def outcomes(self) -> tuple[str, list[object]]:
        """FROM and WHERE clauses that yield this group's outcomes o with members m and coalitions c; parameters."""
        clause = """FROM members m JOIN outcomes o ON o.document = m.document
            JOIN coalitions c ON c.coalition = o.coalition WHERE m.dataset = ? AND o.model = ?"""
        if self.asked is None:
            return clause, [self.dataset, self.model]
        only = " AND m.doc_id IN (SELECT unnest(?::INTEGER[])) AND o.coalition IN (SELECT unnest(?::INTEGER[]))"
        return clause + only, [self.dataset, self.model, *self.asked]


@dataclass(frozen=True, slots=True)
class Values:
    """One value of a group by removed set; ``choices`` counts each document's choices, shape (documents,).

    Of a value that is derived, ``lacking`` documents have none, as they have several right answers or no choices;
    ``not_finite`` documents are left out, as theirs is not finite under some removed set.
    """

    scores: Scores
    choices: FloatArray
    lacking: int = 0
    not_finite: int = 0


def find_groups(db: duckdb.DuckDBPyConnection, selection: Selection) -> list[Group]:
    """The groups that a selection names, by model and task.

    Raises:
        CornerstoneError: the store is empty, or a name fits nothing in it.
    """
    if selection.run is not None:
        _check("run", selection.run, [str(run) for (run,) in db.execute("SELECT run FROM runs").fetchall()])
    groups = _groups(db, selection.run)
    if not groups:
        where = "the store holds no results" if selection.run is None else f"run {selection.run} asked for no results"
        raise CornerstoneError(f"{where} yet; `cornerstone run` makes some")
    if selection.model is not None:
        groups = _named(groups, "model", selection.model, [(g.model_name, g.model_id) for g in groups])
    if selection.task is not None:
        groups = _named(groups, "task", selection.task, [(g.task_name, g.task_id) for g in groups])
    return groups


def with_value(groups: Sequence[Group], value: str) -> tuple[list[Group], list[str]]:
    """The groups that have ``value`` as a mean over documents, and a sentence for each of the others.

    Raises:
        CornerstoneError: no task has it.
    """
    usable = [group for group in groups if value in group.values]
    refusals = [_refusal(group, value) for group in groups if value not in group.values]
    if not usable:
        known = dict.fromkeys(name for group in groups for name in group.values)
        metrics = {name for group in groups for name in group.mean_metrics}
        if metrics and value not in DERIVED and not any(value in group.other_metrics for group in groups):
            raise CornerstoneError(f"no value {value!r}; there {'is' if len(known) == 1 else 'are'} {', '.join(known)}")
        raise CornerstoneError("; ".join(dict.fromkeys(refusals)))
    return usable, refusals


def read_values(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, longest: int, units: Grouping | None = None
) -> Values:
    """One of a group's values, for removed sets of up to ``longest`` players.

    With ``units``, of up to so many units of that grouping, whose numbers then make up the removed sets.
    """
    wanted = dict(_wanted(db, longest, units))
    documents = _documents(db, group)
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
    if columns.derived is not None:
        told = answers.gold != NO_GOLD
        finite = np.ones(len(places), dtype=np.bool_)
        finite[column_of[~np.isfinite(found)]] = False
        matrix, choices = matrix[:, finite], choices[finite]
        lacking, not_finite = int((~told).sum()), int((told & ~finite).sum())
    scores = {wanted[int(coalition)]: row for coalition, row in zip(coalitions, matrix, strict=True)}
    return Values(scores, choices, lacking, not_finite)


def _wanted(db: duckdb.DuckDBPyConnection, longest: int, units: Grouping | None) -> Iterator[tuple[int, Removed]]:
    """The numbers of the stored coalitions that are asked for, each with its removed set."""
    for number, members in db.execute("SELECT coalition, removed FROM coalitions").fetchall():
        removed = tuple(members) if units is None else units_of(units, tuple(members))
        if removed is not None and len(removed) <= longest:
            yield int(number), removed


def _numbered(known: NDArray[np.int64], seen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Which of the sorted ``known`` are ``seen``, and where each one seen is among those: a unique of few, fast."""
    at = np.searchsorted(known, seen)
    there = np.bincount(at, minlength=len(known)) > 0
    return known[there], (np.cumsum(there) - 1)[at]


def _documents(db: duckdb.DuckDBPyConnection, group: Group) -> dict[int, tuple[list[int], int]]:
    """The gold of each document, and how many choices it has, by its place."""
    rows = db.execute(
        """SELECT (m.doc_id::BIGINT << 32) + m.document, d.gold, len(d.choices)
        FROM members m JOIN documents d ON d.document = m.document WHERE m.dataset = ?""",
        [group.dataset],
    ).fetchall()
    return {int(place): (gold, int(count)) for place, gold, count in rows}


def _refusal(group: Group, value: str) -> str:
    usable = ", ".join(group.values) or "none"
    if value in DERIVED:
        return (
            f"{group.task_name} has no {value}: none of its documents has one right answer among choices "
            f"(usable: {usable})"
        )
    return f"{value!r} of {group.task_name} is not a mean over its documents, so it is no value here (usable: {usable})"


def _groups(db: duckdb.DuckDBPyConnection, run: str | None) -> list[Group]:
    rows = db.execute(
        """SELECT a.model, a.dataset, m.name, t.name, m.fingerprint, t.fingerprint, s.fingerprint, m.kinds,
                  t.mean_metrics, t.other_metrics, arg_max(r.config, (len(a.doc_ids), r.started)),
                  list_distinct(flatten(list(a.doc_ids))), list_distinct(flatten(list(a.coalitions))),
                  EXISTS (SELECT 1 FROM members e JOIN documents d ON d.document = e.document
                          WHERE e.dataset = a.dataset AND len(d.choices) > 1 AND len(d.gold) = 1),
                  list(DISTINCT [r.run, r.versions]) FILTER (r.state = 'running')
        FROM assignments a JOIN runs r ON r.run = a.run JOIN models m ON m.model = a.model
        JOIN datasets s ON s.dataset = a.dataset JOIN tasks t ON t.task = s.task
        WHERE ?::VARCHAR IS NULL OR a.run = ?
        GROUP BY ALL ORDER BY m.name, t.name, a.model, a.dataset""",
        [run, run],
    ).fetchall()
    return [_group(*row, only_asked=run is not None) for row in rows]


def _group(  # noqa: PLR0913, PLR0917 the columns of a query
    model: int,
    dataset: int,
    model_name: str,
    task_name: str,
    weights: str,
    prompt: str,
    data: str,
    kinds: list[PlayerKind],
    mean_metrics: list[str],
    other_metrics: list[str],
    config: str,
    doc_ids: list[int],
    coalitions: list[int],
    derives: bool,
    running: list[list[str]] | None,
    *,
    only_asked: bool,
) -> Group:
    return Group(
        model=model,
        dataset=dataset,
        model_name=model_name,
        task_name=task_name,
        model_id=short_id(weights),
        task_id=short_id(prompt, data),
        kinds=tuple(kinds),
        mean_metrics=tuple(mean_metrics),
        other_metrics=tuple(other_metrics),
        config=config,
        asked=(doc_ids, coalitions) if only_asked else None,
        derives=derives,
        writing=tuple(sorted(run for run, versions in running or () if is_elsewhere(json.loads(versions)))),
    )


def _named(groups: list[Group], what: str, wanted: str, names: Sequence[tuple[str, str]]) -> list[Group]:
    chosen = [
        group for group, (name, ident) in zip(groups, names, strict=True) if wanted in {name, ident, f"{name}@{ident}"}
    ]
    if not chosen:
        _check(what, wanted, [name for name, _ in names])
    return chosen


def _check(what: str, wanted: str, known: Sequence[str]) -> None:
    if wanted in known:
        return
    distinct = list(dict.fromkeys(known))
    close = get_close_matches(wanted, distinct, n=1)
    meant = f"did you mean {close[0]}? it" if close else "it"
    more = f" and {len(distinct) - _LISTED} more" if len(distinct) > _LISTED else ""
    listed = ", ".join(distinct[:_LISTED]) + more if distinct else f"no {what}"
    raise CornerstoneError(f"no {what} {wanted!r} in the store; {meant} holds {listed}")
