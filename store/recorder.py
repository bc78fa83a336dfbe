"""Writing: the keeper of a study's outcomes. Every method is one short transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from core.players import Removed
from core.records import Assignment, ModelRecord, Outcome, RunRecord, RunState, TaskRecord
from store.database import writing


class StoreRecorder:
    """Keeps outcomes in a DuckDB file; satisfies ``core.records.Recorder``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, run: RunRecord) -> None:
        with writing(self._path) as db:
            row = [run.run_id, _now(), run.command, run.config, run.versions, run.seed]
            db.execute("INSERT INTO runs VALUES (?, ?, NULL, 'running', ?, ?, ?, ?)", row)

    def finish(self, run_id: str, state: RunState) -> None:
        with writing(self._path) as db:
            db.execute("UPDATE runs SET state = ?, finished = ? WHERE run = ?", [state, _now(), run_id])

    def assign(self, run_id: str, assignment: Assignment) -> None:
        with writing(self._path) as db:
            model, task = _model(db, assignment.model), _task(db, assignment.task)
            dataset = _dataset(db, task, assignment)
            _documents(db, task, dataset, assignment)
            _coalitions(db, assignment.coalitions)
            ids = _coalition_ids(db)
            doc_ids = [document.doc_id for document in assignment.documents]
            coalitions = [ids[removed] for removed in assignment.coalitions]
            db.execute("INSERT INTO assignments VALUES (?, ?, ?, ?, ?)", [run_id, model, dataset, doc_ids, coalitions])

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        with writing(self._path) as db:
            model, task = _model(db, assignment.model), _task(db, assignment.task)
            rows = db.execute(
                """SELECT d.key, c.removed FROM outcomes o
                JOIN documents d ON d.document = o.document JOIN coalitions c ON c.coalition = o.coalition
                WHERE o.model = ? AND d.task = ? AND d.key IN (SELECT unnest(?::VARCHAR[]))""",
                [model, task, [document.key for document in assignment.documents]],
            ).fetchall()
        asked = frozenset(assignment.coalitions)
        there: defaultdict[str, set[Removed]] = defaultdict(set)
        for key, numbers in rows:
            removed = tuple(numbers)
            if removed in asked:
                there[key].add(removed)
        return {key: frozenset(sets) for key, sets in there.items()}

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        with writing(self._path) as db:
            model, task = _model(db, assignment.model), _task(db, assignment.task)
            ids = _coalition_ids(db)
            db.execute(
                """INSERT INTO outcomes
                SELECT ? AS model, d.document, n.coalition, ? AS run,
                       n.logprobs, n.is_greedy, n.acc, n.acc_norm, n.more, n.other
                FROM (SELECT unnest(?::VARCHAR[]) AS key, unnest(?::INTEGER[]) AS coalition,
                             unnest(?::DOUBLE[][]) AS logprobs, unnest(?::BOOLEAN[][]) AS is_greedy,
                             unnest(?::DOUBLE[]) AS acc, unnest(?::DOUBLE[]) AS acc_norm,
                             unnest(?::VARCHAR[]) AS more, unnest(?::VARCHAR[]) AS other) n
                JOIN documents d ON d.task = ? AND d.key = n.key
                ANTI JOIN outcomes o ON o.model = ? AND o.document = d.document AND o.coalition = n.coalition""",
                [
                    model,
                    run_id,
                    [outcome.document for outcome in outcomes],
                    [ids[outcome.removed] for outcome in outcomes],
                    [list(outcome.logprobs) for outcome in outcomes],
                    [list(outcome.is_greedy) for outcome in outcomes],
                    [outcome.metrics.get("acc") for outcome in outcomes],
                    [outcome.metrics.get("acc_norm") for outcome in outcomes],
                    [_json(_without(outcome.metrics, "acc", "acc_norm")) for outcome in outcomes],
                    [_json(outcome.other) for outcome in outcomes],
                    task,
                    model,
                ],
            )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _json(values: Mapping[str, Any]) -> str | None:
    return json.dumps(values, default=str) if values else None


def _without(values: Mapping[str, float], *names: str) -> dict[str, float]:
    return {name: value for name, value in values.items() if name not in names}


def _id(db: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> int | None:
    row = db.execute(query, parameters).fetchone()
    return None if row is None else int(row[0])


def _model(db: duckdb.DuckDBPyConnection, model: ModelRecord) -> int:
    known = _id(db, "SELECT model FROM models WHERE fingerprint = ?", [model.fingerprint])
    if known is not None:
        return known
    row = [model.fingerprint, model.name, model.source, model.revision, model.dtype, model.family, list(model.kinds)]
    new = _id(
        db,
        """INSERT INTO models (fingerprint, name, source, revision, dtype, family, kinds)
        VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING model""",
        row,
    )
    assert new is not None
    return new


def _task(db: duckdb.DuckDBPyConnection, task: TaskRecord) -> int:
    known = _id(db, "SELECT task FROM tasks WHERE fingerprint = ?", [task.fingerprint])
    if known is not None:
        return known
    row = [task.fingerprint, task.name, task.version, task.num_fewshot, task.chat_template, task.output_type]
    new = _id(
        db,
        """INSERT INTO tasks
        (fingerprint, name, version, num_fewshot, chat_template, output_type, mean_metrics, other_metrics)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING task""",
        [*row, list(task.mean_metrics), list(task.other_metrics)],
    )
    assert new is not None
    return new


def _dataset(db: duckdb.DuckDBPyConnection, task: int, assignment: Assignment) -> int:
    data = assignment.data
    known = _id(db, "SELECT dataset FROM datasets WHERE task = ? AND fingerprint = ?", [task, data.fingerprint])
    if known is not None:
        return known
    new = _id(
        db,
        "INSERT INTO datasets (task, fingerprint, source, size) VALUES (?, ?, ?, ?) RETURNING dataset",
        [task, data.fingerprint, data.source, data.size],
    )
    assert new is not None
    return new


def _documents(db: duckdb.DuckDBPyConnection, task: int, dataset: int, assignment: Assignment) -> None:
    documents = {document.key: document for document in assignment.documents}
    db.execute(
        """INSERT INTO documents (task, key, gold, prompt, choices)
        SELECT ?, n.* FROM (SELECT unnest(?::VARCHAR[]) AS key, unnest(?::INTEGER[][]), unnest(?::VARCHAR[]),
                                   unnest(?::VARCHAR[][])) n
        ANTI JOIN documents d ON d.task = ? AND d.key = n.key""",
        [
            task,
            list(documents),
            [list(document.gold) for document in documents.values()],
            [document.prompt for document in documents.values()],
            [list(document.choices) for document in documents.values()],
            task,
        ],
    )
    db.execute(
        """INSERT INTO members SELECT ?, n.doc_id, d.document
        FROM (SELECT unnest(?::INTEGER[]) AS doc_id, unnest(?::VARCHAR[]) AS key) n
        JOIN documents d ON d.task = ? AND d.key = n.key
        ANTI JOIN members m ON m.dataset = ? AND m.doc_id = n.doc_id""",
        [
            dataset,
            [document.doc_id for document in assignment.documents],
            [document.key for document in assignment.documents],
            task,
            dataset,
        ],
    )


def _coalitions(db: duckdb.DuckDBPyConnection, coalitions: Sequence[Removed]) -> None:
    known = _coalition_ids(db)
    new = [list(removed) for removed in dict.fromkeys(coalitions) if removed not in known]
    if new:
        db.execute("INSERT INTO coalitions (removed) SELECT unnest(?::INTEGER[][])", [new])


def _coalition_ids(db: duckdb.DuckDBPyConnection) -> dict[Removed, int]:
    rows = db.execute("SELECT removed, coalition FROM coalitions").fetchall()
    return {tuple(removed): int(coalition) for removed, coalition in rows}
