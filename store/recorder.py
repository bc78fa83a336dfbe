"""Write the outcomes of a study to the store. Every method is one short transaction."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from core.coalitions.players import Removed
from core.errors import CornerstoneError, Mend
from core.machine.process import is_elsewhere
from core.records.records import (
    Assignment,
    ModelRecord,
    Outcome,
    RunRecord,
    RunState,
    StoredValues,
    TaskRecord,
    UnknownRunError,
    Writer,
)
from core.values.derived import Answers, lengths_of
from store.file.database import reading, writing
from store.file.patience import PATIENCE_S, OnWait
from store.file.place import NothingStoredError
from store.file.value_columns import OWN_COLUMNS, value_columns


class StoreRecorder:
    """Keeps outcomes in a DuckDB file; satisfies ``core.records.records.Recorder``.

    Every method raises CornerstoneError if the file is no store, is damaged, cannot be written, or stays in use for
    ``patience`` seconds. ``on_wait`` hears a sentence once a method has waited for 2 seconds.
    """

    def __init__(self, path: Path, patience: float = PATIENCE_S, on_wait: OnWait | None = None) -> None:
        self._path = path
        self._patience = patience
        self._on_wait = on_wait

    def begin(self, run: RunRecord) -> None:
        with writing(self._path, self._patience, self._on_wait) as db:
            row = [run.run_id, _now(), _text(run.command), _text(run.config), run.versions, run.seed]
            db.execute(
                """INSERT INTO runs VALUES (?, ?, NULL, 'running', ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET state = 'running', finished = NULL""",
                row,
            )

    def finish(self, run_id: str, state: RunState) -> None:
        with writing(self._path, self._patience, self._on_wait) as db:
            self._refuse_unknown(db, run_id)
            db.execute("UPDATE runs SET state = ?, finished = ? WHERE run = ?", [state, _now(), run_id])

    def assign(self, run_id: str, assignment: Assignment) -> None:
        with writing(self._path, self._patience, self._on_wait) as db:
            self._refuse_unknown(db, run_id)
            model, task = _model(db, assignment.model), _task(db, assignment.task)
            dataset = _dataset(db, task, assignment)
            _documents(db, task, dataset, assignment)
            _coalitions(db, assignment.coalitions)
            ids = _coalition_ids(db)
            doc_ids = [document.doc_id for document in assignment.documents]
            coalitions = [ids[removed] for removed in assignment.coalitions]
            row = [run_id, model, dataset, doc_ids, coalitions]
            db.execute(
                """INSERT INTO assignments SELECT * FROM (SELECT ?, ?::INTEGER, ?::INTEGER, ?::INTEGER[], ?::INTEGER[])
                EXCEPT SELECT * FROM assignments WHERE run = ?""",
                [*row, run_id],
            )

    def writers(self) -> tuple[Writer, ...]:
        try:
            with reading(self._path, self._patience, self._on_wait) as db:
                rows = db.execute(
                    "SELECT run, command, versions, started FROM runs WHERE state = 'running' ORDER BY started, run"
                ).fetchall()
                ages = [(_now() - started).total_seconds() for *_, started in rows]
                return tuple(
                    Writer(run, command)
                    for (run, command, versions, _), age_s in zip(rows, ages, strict=True)
                    if is_elsewhere(json.loads(versions), age_s)
                )
        except NothingStoredError:
            return ()

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        try:
            with reading(self._path, self._patience, self._on_wait) as db:
                names = {number: removed for removed, number in _coalition_ids(db).items()}
                rows = db.execute(
                    """SELECT d.key, list(o.coalition) FROM outcomes o
                    JOIN documents d ON d.document = o.document JOIN tasks t ON t.task = d.task
                    JOIN models m ON m.model = o.model
                    WHERE m.fingerprint = ? AND t.fingerprint = ? AND d.key IN (SELECT unnest(?::VARCHAR[]))
                    GROUP BY d.key""",
                    [assignment.model.fingerprint, assignment.task.fingerprint, _keys(assignment)],
                ).fetchall()
                asked = frozenset(assignment.coalitions)
                return {key: asked.intersection(names[number] for number in numbers) for key, numbers in rows}
        except NothingStoredError:
            return {}

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        documents = {document.key: (document.gold, lengths_of(document.choices)) for document in assignment.documents}
        columns = value_columns(metric, assignment.task.mean_metrics, Answers.of(list(documents.values())))
        try:
            with reading(self._path, self._patience, self._on_wait) as db:
                names = {number: removed for removed, number in _coalition_ids(db).items()}
                found = db.execute(
                    f"""SELECT d.key AS key, o.coalition AS coalition, {columns.select} FROM outcomes o
                    JOIN documents d ON d.document = o.document JOIN tasks t ON t.task = d.task
                    JOIN models m ON m.model = o.model
                    WHERE m.fingerprint = ? AND t.fingerprint = ? AND d.key IN (SELECT unnest(?::VARCHAR[]))""",
                    [
                        *columns.parameters,
                        assignment.model.fingerprint,
                        assignment.task.fingerprint,
                        _keys(assignment),
                    ],
                ).fetchnumpy()
                coalitions, row = np.unique(np.asarray(found["coalition"]), return_inverse=True)
                keys, place = np.unique(np.asarray(found["key"], dtype=object), return_inverse=True)
                values = np.full((len(coalitions), len(keys)), np.nan)
                answers = Answers.of([documents[str(key)] for key in keys])
                values[row, place] = columns.values(found, answers.at(place))
                there = np.zeros(values.shape, dtype=np.bool_)
                there[row, place] = True
                return StoredValues(
                    tuple(names[int(number)] for number in coalitions),
                    tuple(map(str, keys)),
                    values,
                    there,
                    columns.by_document(found, place, len(keys)),
                )
        except NothingStoredError:
            return StoredValues((), (), np.empty((0, 0)), np.empty((0, 0), dtype=np.bool_))

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        """Store outcomes of an assignment that ``assign`` was given. Outcomes that are stored already stay as they are.

        Raises:
            KeyError: a document or coalition that no assignment has named.
        """
        first: dict[tuple[str, Removed], Outcome] = {}
        for outcome in outcomes:
            first.setdefault((outcome.document, outcome.removed), outcome)
        new = list(first.values())
        with writing(self._path, self._patience, self._on_wait) as db:
            self._refuse_unknown(db, run_id)
            model, task = _model(db, assignment.model), _task(db, assignment.task)
            documents, coalitions = _document_ids(db, task, assignment), _coalition_ids(db)
            db.execute(
                """INSERT INTO outcomes
                SELECT ? AS model, n.document, n.coalition, ? AS run,
                       n.logprobs, n.is_greedy, n.acc, n.acc_norm, n.more, n.other
                FROM (SELECT unnest(?::INTEGER[]) AS document, unnest(?::INTEGER[]) AS coalition,
                             unnest(?::DOUBLE[][]) AS logprobs, unnest(?::BOOLEAN[][]) AS is_greedy,
                             unnest(?::DOUBLE[]) AS acc, unnest(?::DOUBLE[]) AS acc_norm,
                             unnest(?::VARCHAR[]) AS more, unnest(?::VARCHAR[]) AS other) n
                ANTI JOIN outcomes o ON o.model = ? AND o.document = n.document AND o.coalition = n.coalition""",
                [
                    model,
                    run_id,
                    [documents[outcome.document] for outcome in new],
                    [coalitions[outcome.removed] for outcome in new],
                    [list(outcome.logprobs) for outcome in new],
                    [list(outcome.is_greedy) for outcome in new],
                    [_finite(outcome.metrics.get("acc")) for outcome in new],
                    [_finite(outcome.metrics.get("acc_norm")) for outcome in new],
                    [_more(outcome.metrics) for outcome in new],
                    [json.dumps(_given(outcome.other)) if outcome.other else None for outcome in new],
                    model,
                ],
            )

    def _refuse_unknown(self, db: duckdb.DuckDBPyConnection, run_id: str) -> None:
        if db.execute("SELECT 1 FROM runs WHERE run = ?", [run_id]).fetchone() is None:
            raise UnknownRunError(f"the store {self._path} has no run {run_id}")


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _text(text: str) -> str:
    """Replace unpaired surrogates, as in a file name that is not UTF-8, because DuckDB keeps UTF-8 only."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _more(metrics: Mapping[str, float]) -> str | None:
    more = {name: _finite(value) for name, value in metrics.items() if name not in OWN_COLUMNS}
    return json.dumps(more) if more else None


def _given(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {str(name): _given(item) for name, item in value.items()}
        case list() | tuple():
            return [_given(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _keys(assignment: Assignment) -> list[str]:
    return [document.key for document in assignment.documents]


def _document_ids(db: duckdb.DuckDBPyConnection, task: int, assignment: Assignment) -> dict[str, int]:
    rows = db.execute(
        "SELECT key, document FROM documents WHERE task = ? AND key IN (SELECT unnest(?::VARCHAR[]))",
        [task, _keys(assignment)],
    ).fetchall()
    return {str(key): int(document) for key, document in rows}


def _id(db: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> int | None:
    row = db.execute(query, parameters).fetchone()
    return None if row is None else int(row[0])


def _model(db: duckdb.DuckDBPyConnection, model: ModelRecord) -> int:
    kinds, layers = [player.kind for player in model.players], [player.layer for player in model.players]
    known = db.execute("SELECT model, kinds, layers FROM models WHERE fingerprint = ?", [model.fingerprint]).fetchone()
    if known is not None:
        if known[1:] != (kinds, layers):
            raise CornerstoneError(
                f"the store has {model.name} with other players, so its numbers do not fit together; store these "
                "results in another file",
                Mend.OTHER_STORE,
            )
        return int(known[0])
    row = [model.fingerprint, _text(model.name), _text(model.source), model.revision, model.dtype, model.family]
    new = _id(
        db,
        """INSERT INTO models (fingerprint, name, source, revision, dtype, family, kinds, layers)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING model""",
        [*row, kinds, layers],
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
        [task, data.fingerprint, _text(data.source), data.size],
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
            [_text(document.prompt) for document in documents.values()],
            [[_text(choice) for choice in document.choices] for document in documents.values()],
            task,
        ],
    )
    db.execute(
        """INSERT INTO members SELECT ?, n.doc_id, d.document
        FROM (SELECT unnest(?::INTEGER[]) AS doc_id, unnest(?::VARCHAR[]) AS key) n
        JOIN documents d ON d.task = ? AND d.key = n.key
        ANTI JOIN members m ON m.dataset = ? AND m.doc_id = n.doc_id AND m.document = d.document""",
        [
            dataset,
            [document.doc_id for document in assignment.documents],
            _keys(assignment),
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
