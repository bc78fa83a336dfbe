"""Choose what to read. A group holds the results of one model on one task over one data set."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.coalitions.grouping import Grouping
from core.coalitions.players import Kinds, Player, PlayerKind, Removed, kinds_by_layer, players_of
from core.config.gap import Gap
from core.errors import CornerstoneError, Mend
from core.estimators.question import Scores, units_of
from core.machine.process import is_elsewhere
from core.records.fingerprint import short_id
from core.statistics.intervals import FloatArray
from core.values.derived import NO_GOLD, derived_values
from core.values.of_task import PREFERRED, own_value, values_of
from store.file.value_columns import Answers, value_columns
from store.rows import Selection

_LISTED = 8


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one model on one task over one data set, which may be compared.

    ``asked`` holds the doc_ids and coalition numbers of the selected run, and is None if no run is selected. ``config``
    is the configuration (JSON) of the run with the most documents, the latest of several. ``derives`` says whether any
    document has derived values (``core.values.derived``). ``writing`` lists runs of other processes that still write.
    """

    model: int
    dataset: int
    model_name: str
    task_name: str
    model_id: str
    task_id: str
    kinds: Kinds
    mean_metrics: tuple[str, ...]
    other_metrics: tuple[str, ...]
    config: str
    asked: tuple[list[int], list[int]] | None
    derives: bool
    writing: tuple[str, ...]

    @property
    def players(self) -> tuple[Player, ...]:
        return players_of(self.kinds)

    @property
    def values(self) -> tuple[str, ...]:
        """The values that it may be read by: the task's metrics that are means, and derived values."""
        return values_of(self.mean_metrics, derives=self.derives)

    @property
    def own_value(self) -> str:
        """The value that it is read by if none is asked for. A group without values has acc, which reading refuses."""
        return own_value(self.values) or PREFERRED

    @property
    def title(self) -> str:
        return f"{self.model_name} on {self.task_name}"

    @property
    def heading(self) -> dict[str, Any]:
        """The columns that name a row's model and task."""
        return {
            "model": self.model_name,
            "task": self.task_name,
            "model_id": self.model_id,
            "task_id": self.task_id,
        }

    @property
    def outcomes(self) -> tuple[str, list[object]]:
        """FROM and WHERE clauses that select this group's outcomes o, members m and coalitions c; parameters."""
        clause = """FROM members m JOIN outcomes o ON o.document = m.document
            JOIN coalitions c ON c.coalition = o.coalition WHERE m.dataset = ? AND o.model = ?"""
        if self.asked is None:
            return clause, [self.dataset, self.model]
        only = " AND m.doc_id IN (SELECT unnest(?::INTEGER[])) AND o.coalition IN (SELECT unnest(?::INTEGER[]))"
        return clause + only, [self.dataset, self.model, *self.asked]


@dataclass(frozen=True, slots=True)
class Values:
    """One value of a group by removed set. ``choices`` counts each document's choices, shape (documents,).

    For a derived value, ``lacking`` counts documents without it: they have several right answers, or no choices.
    ``not_finite`` counts documents that are left out because their value is not finite under some removed set.
    """

    scores: Scores
    choices: FloatArray
    lacking: int = 0
    not_finite: int = 0


def find_groups(db: duckdb.DuckDBPyConnection, selection: Selection) -> list[Group]:
    """Return the groups that a selection names, by model and task.

    Raises:
        CornerstoneError: the store is empty, or a name fits nothing in it.
    """
    if selection.run is not None:
        _check("run", selection.run, [str(run) for (run,) in db.execute("SELECT run FROM runs").fetchall()])
    groups = _groups(db, selection.run)
    if not groups:
        where = "the store holds no results" if selection.run is None else f"run {selection.run} asked for no results"
        raise CornerstoneError(f"{where} yet", Mend.MAKE_RESULTS)
    return named_groups(groups, selection.model, selection.task)


def named_groups(groups: list[Group], model: str | None, task: str | None) -> list[Group]:
    """Return the groups of a model and a task; None stands for all.

    Raises:
        CornerstoneError: a name fits none of them.
    """
    if model is not None:
        groups = _named(groups, "model", model, [(g.model_name, g.model_id) for g in groups])
    if task is not None:
        groups = _named(groups, "task", task, [(g.task_name, g.task_id) for g in groups])
    return groups


def with_value(groups: Sequence[Group], value: str | None) -> tuple[list[tuple[Group, str]], list[Gap]]:
    """Pair each group with the value that it is read by, and return a gap for each group without that value.

    Args:
        groups: the selected groups.
        value: a mean over documents; None for each task's own: acc, else its first metric that is a mean.

    Raises:
        CornerstoneError: no group has such a value.
    """
    paired = [(group, group.own_value if value is None else value) for group in groups]
    usable = [(group, name) for group, name in paired if name in group.values]
    refusals = [_refusal(group, name) for group, name in paired if name not in group.values]
    if not usable:
        known = dict.fromkeys(name for group in groups for name in group.values)
        metrics = {name for group in groups for name in group.mean_metrics}
        unknown = value is not None and value not in derived_values()
        if metrics and unknown and not any(value in group.other_metrics for group in groups):
            raise CornerstoneError(f"no value {value!r}; there {'is' if len(known) == 1 else 'are'} {', '.join(known)}")
        raise CornerstoneError("; ".join(dict.fromkeys(refusals)))
    return usable, [Gap(refusal) for refusal in refusals]


def read_values(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, longest: int, units: Grouping | None = None
) -> Values:
    """Read one of a group's values, for removed sets of up to ``longest`` players.

    With ``units``, ``longest`` counts units of that grouping, and removed sets hold the numbers of units.
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


def _documents(db: duckdb.DuckDBPyConnection, group: Group) -> dict[int, tuple[list[int], int]]:
    """Return the gold of each document and its number of choices, by its place."""
    rows = db.execute(
        """SELECT (m.doc_id::BIGINT << 32) + m.document, d.gold, len(d.choices)
        FROM members m JOIN documents d ON d.document = m.document WHERE m.dataset = ?""",
        [group.dataset],
    ).fetchall()
    return {int(place): (gold, int(count)) for place, gold, count in rows}


def _refusal(group: Group, value: str) -> str:
    usable = ", ".join(group.values) or "none"
    if value in derived_values():
        return (
            f"{group.task_name} has no {value}: none of its documents has one right answer among choices "
            f"(usable: {usable})"
        )
    return f"{value!r} of {group.task_name} is not a mean over its documents, so it is no value here (usable: {usable})"


def _groups(db: duckdb.DuckDBPyConnection, run: str | None) -> list[Group]:
    rows = db.execute(
        """SELECT a.model, a.dataset, m.name, t.name, m.fingerprint, t.fingerprint, s.fingerprint, m.kinds, m.layers,
                  t.mean_metrics, t.other_metrics, arg_max(r.config, (len(a.doc_ids), r.started)),
                  list_distinct(flatten(list(a.doc_ids))), list_distinct(flatten(list(a.coalitions))),
                  EXISTS (SELECT 1 FROM members e JOIN documents d ON d.document = e.document
                          WHERE e.dataset = a.dataset AND len(d.choices) > 1 AND len(d.gold) = 1),
                  list(DISTINCT [r.run, r.versions, epoch(r.started)::VARCHAR]) FILTER (r.state = 'running')
        FROM assignments a JOIN runs r ON r.run = a.run JOIN models m ON m.model = a.model
        JOIN datasets s ON s.dataset = a.dataset JOIN tasks t ON t.task = s.task
        WHERE ?::VARCHAR IS NULL OR a.run = ?
        GROUP BY ALL ORDER BY m.name, t.name, a.model, a.dataset""",
        [run, run],
    ).fetchall()
    return [_group(_Row(*row), only_asked=run is not None) for row in rows]


class _Row(NamedTuple):
    """A row of the query for groups, column by column; ``running`` has the runs that go on, with versions and start."""

    model: int
    dataset: int
    model_name: str
    task_name: str
    weights: str
    prompt: str
    data: str
    kinds: list[PlayerKind]
    layers: list[int]
    mean_metrics: list[str]
    other_metrics: list[str]
    config: str
    doc_ids: list[int]
    coalitions: list[int]
    derives: bool
    running: list[list[str]] | None


def _group(row: _Row, *, only_asked: bool) -> Group:
    now = time.time()
    elsewhere = (
        run for run, versions, began in row.running or () if is_elsewhere(json.loads(versions), now - float(began))
    )
    return Group(
        model=row.model,
        dataset=row.dataset,
        model_name=row.model_name,
        task_name=row.task_name,
        model_id=short_id(row.weights),
        task_id=short_id(row.prompt, row.data),
        kinds=kinds_by_layer(row.kinds, row.layers),
        mean_metrics=tuple(row.mean_metrics),
        other_metrics=tuple(row.other_metrics),
        config=row.config,
        asked=(row.doc_ids, row.coalitions) if only_asked else None,
        derives=row.derives,
        writing=tuple(sorted(elsewhere)),
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
