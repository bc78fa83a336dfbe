"""Choosing what to read: groups of results that belong together, one a model, task and data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.errors import CornerstoneError
from core.players import PlayerKind, Removed


@dataclass(frozen=True, slots=True)
class Selection:
    """Which results to read; None means all. Names may be ``name``, ``name@id`` or an id alone.

    ``run`` restricts to the documents and coalitions that the run asked for, whichever run evaluated them.
    """

    model: str | None = None
    task: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Results that may be compared: one model on one task over one data set."""

    model: int
    dataset: int
    model_name: str
    task_name: str
    model_id: str
    task_id: str
    kinds: tuple[PlayerKind, ...]
    mean_metrics: tuple[str, ...]
    doc_ids: tuple[int, ...] | None
    coalitions: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Values:
    """One metric of a group: ``matrix`` has shape (coalitions, documents), NaN where an outcome is not stored."""

    removed: tuple[Removed, ...]
    doc_ids: NDArray[np.int64]
    matrix: NDArray[np.float64]

    def of(self, removed: Removed) -> NDArray[np.float64] | None:
        return self.matrix[self.removed.index(removed)] if removed in self.removed else None


def short_id(*fingerprints: str) -> str:
    """Eight hex digits that stand for fingerprints."""
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()[:8]


def find_groups(db: duckdb.DuckDBPyConnection, selection: Selection) -> list[Group]:
    """The groups that a selection names, by model and task.

    Raises:
        CornerstoneError: the store is empty, or a name fits nothing in it.
    """
    if selection.run is not None:
        _check("run", selection.run, [str(run) for (run,) in db.execute("SELECT run FROM runs").fetchall()])
    asked = _asked(db, selection.run)
    groups = []
    rows = db.execute(
        """SELECT DISTINCT a.model, a.dataset, m.name, t.name, m.fingerprint, t.fingerprint, s.fingerprint, m.kinds,
                  t.mean_metrics
        FROM assignments a JOIN models m ON m.model = a.model JOIN datasets s ON s.dataset = a.dataset
        JOIN tasks t ON t.task = s.task ORDER BY m.name, t.name, a.model, a.dataset"""
    ).fetchall()
    for model, dataset, model_name, task_name, weights, prompt, data, kinds, metrics in rows:
        if selection.run is None or (model, dataset) in asked:
            doc_ids, coalitions = asked.get((model, dataset), (None, None))
            ids = short_id(weights), short_id(prompt, data)
            groups.append(
                Group(model, dataset, model_name, task_name, *ids, tuple(kinds), tuple(metrics), doc_ids, coalitions)
            )
    if not groups:
        raise CornerstoneError("the store holds no results yet; `cornerstone run` makes some")
    if selection.model is not None:
        groups = _named(groups, "model", selection.model, [(g.model_name, g.model_id) for g in groups])
    if selection.task is not None:
        groups = _named(groups, "task", selection.task, [(g.task_name, g.task_id) for g in groups])
    return groups


def read_values(db: duckdb.DuckDBPyConnection, group: Group, value: str, longest: int | None = None) -> Values:
    """One metric of a group, for removed sets of up to ``longest`` players.

    Raises:
        CornerstoneError: the task has no such metric, or it is no mean over documents.
    """
    if value not in group.mean_metrics:
        raise CornerstoneError(refuse_value(group, value))
    column = value if value in {"acc", "acc_norm"} else "CAST(json_extract(more, ?) AS DOUBLE)"
    restrict, parameters = _restriction(group)
    rows = db.execute(
        f"""SELECT m.doc_id, o.coalition, {column} AS value FROM members m
        JOIN outcomes o ON o.document = m.document JOIN coalitions c ON c.coalition = o.coalition
        WHERE m.dataset = ? AND o.model = ? AND len(c.removed) <= ? {restrict}""",
        [
            *([] if column == value else [f'$."{value}"']),
            group.dataset,
            group.model,
            len(group.kinds) if longest is None else longest,
            *parameters,
        ],
    ).fetchnumpy()
    names = {int(c): tuple(r) for r, c in db.execute("SELECT removed, coalition FROM coalitions").fetchall()}
    coalitions, rank = np.unique(np.asarray(rows["coalition"]), return_inverse=True)
    doc_ids, place = np.unique(np.asarray(rows["doc_id"]), return_inverse=True)
    matrix = np.full((len(coalitions), len(doc_ids)), np.nan)
    matrix[rank, place] = np.ma.filled(np.ma.asarray(rows["value"]).astype(np.float64), np.nan)
    return Values(tuple(names[int(coalition)] for coalition in coalitions), doc_ids.astype(np.int64), matrix)


def refuse_value(group: Group, value: str) -> str:
    """Why a metric cannot be a value of this task, and which can."""
    usable = ", ".join(group.mean_metrics) or "none"
    return f"{value!r} of {group.task_name} is not a mean over its documents, so it is no value here (usable: {usable})"


def _restriction(group: Group) -> tuple[str, list[object]]:
    if group.doc_ids is None or group.coalitions is None:
        return "", []
    clause = """AND m.doc_id IN (SELECT unnest(?::INTEGER[])) AND o.coalition IN (SELECT unnest(?::INTEGER[]))"""
    return clause, [list(group.doc_ids), list(group.coalitions)]


def _asked(
    db: duckdb.DuckDBPyConnection, run: str | None
) -> dict[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]]:
    if run is None:
        return {}
    rows = db.execute(
        """SELECT model, dataset, list_distinct(flatten(list(doc_ids))), list_distinct(flatten(list(coalitions)))
        FROM assignments WHERE run = ? GROUP BY model, dataset""",
        [run],
    ).fetchall()
    return {(model, dataset): (tuple(docs), tuple(coalitions)) for model, dataset, docs, coalitions in rows}


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
    distinct = sorted(set(known))
    close = get_close_matches(wanted, distinct, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(distinct[:8]) or 'none'}"
    raise CornerstoneError(f"no {what} {wanted!r} in the store; {hint}")
