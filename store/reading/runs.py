"""Read every run that a store has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from core.machine.process import Presence, presence
from store.rows import RunRow

_STATES: Mapping[Presence, str] = {"alive": "running", "gone": "stopped", "unknown": "unknown"}


def read_runs(db: duckdb.DuckDBPyConnection) -> list[RunRow]:
    """Read all runs, the latest first.

    A run that is marked as running, but whose process is gone, was stopped. Whether the process of another machine or
    container still runs is unknown.
    """
    rows = db.execute(
        """WITH asked AS (
            SELECT run, dataset, len(list_distinct(flatten(list(doc_ids)))) AS documents
            FROM assignments GROUP BY run, dataset
        ), tasks_of AS (
            SELECT run, sum(documents)::BIGINT AS documents, list_sort(list_distinct(list(t.name))) AS tasks
            FROM asked JOIN datasets USING (dataset) JOIN tasks t USING (task) GROUP BY run
        ), sets_of AS (
            SELECT run, any_value(m.name) AS model, len(list_distinct(flatten(list(coalitions)))) AS coalitions
            FROM assignments JOIN models m USING (model) GROUP BY run
        ), kept AS (SELECT run, count(*) AS outcomes FROM outcomes GROUP BY run)
        SELECT run, started, finished, state, versions, command, coalesce(model, ''), coalesce(tasks, []),
               coalesce(documents, 0), coalesce(coalitions, 0), coalesce(outcomes, 0)
        FROM runs LEFT JOIN tasks_of USING (run) LEFT JOIN sets_of USING (run) LEFT JOIN kept USING (run)
        ORDER BY started DESC, run"""
    ).fetchall()
    return [_run(*row) for row in rows]


def _run(*columns: Any) -> RunRow:
    run, started, finished, state, versions, command, model, tasks, documents, coalitions, outcomes = columns
    if state == "running":
        state = _STATES[presence(json.loads(versions))]
    return RunRow(run, started, finished, state, command, model, tuple(tasks), documents, coalitions, outcomes)
