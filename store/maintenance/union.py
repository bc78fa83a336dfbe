"""Add one store to another: rows that are there by their identity are used, others get new numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from core.errors import CornerstoneError
from store.file.place import shown
from store.file.written_text import written_in

FULL_PRECISION: Final = (2e-3, 1e-4)
"""How far two float32 log-probabilities of one outcome may differ on different machines: absolute, and relative.

Sums around -60 were seen to differ by up to 1.1e-3.
"""

HALF_PRECISION: Final = (0.1, 0.02)
"""The same for float16 and bfloat16, whose numbers have 3 digits."""

_METRICS_WITHIN: Final = 1e-6
_LISTED_LAYERS: Final = 8


@dataclass(frozen=True, slots=True)
class Taken:
    """How many outcomes a store has, and how many of them were new to the merged store."""

    path: Path
    outcomes: int
    new: int


# Each table with the columns of its identity and its other columns. Numbers of other tables are mapped.
_NUMBERED: Final = (
    ("models", "model", ("fingerprint",), ("name", "source", "revision", "dtype", "family", "kinds", "layers"), ()),
    (
        "tasks",
        "task",
        ("fingerprint",),
        ("name", "version", "num_fewshot", "chat_template", "output_type", "mean_metrics", "other_metrics"),
        (),
    ),
    ("datasets", "dataset", ("task", "fingerprint"), ("source", "size"), ("task",)),
    ("documents", "document", ("task", "key"), ("gold", "prompt", "choices"), ("task",)),
    ("coalitions", "coalition", ("removed",), (), ()),
)


def take(db: duckdb.DuckDBPyConnection, name: str, path: Path) -> Taken:
    """Add an attached store to the one that is attached as ``merged``.

    Each statement is a transaction of its own, so that memory does not grow. The merged file counts only when it is
    whole.

    Args:
        db: the connection.
        name: the name under which the store is attached.
        path: its file, for messages.

    Raises:
        CornerstoneError: it contradicts what is there.
    """
    _refuse_other_players(db, name, path)
    for table, number, identity, others, mapped in _NUMBERED:
        _take_numbered(db, name, (table, number), (identity, others), mapped)
    db.execute(
        f"""INSERT INTO merged.members SELECT s.new, m.doc_id, d.new FROM {name}.members m
        JOIN {_of(name, "dataset")} s ON s.old = m.dataset JOIN {_of(name, "document")} d ON d.old = m.document
        ANTI JOIN merged.members e ON e.dataset = s.new AND e.doc_id = m.doc_id AND e.document = d.new"""
    )
    _take_runs(db, name, path)
    _take_assignments(db, name)
    return _take_outcomes(db, name, path)


def _refuse_other_players(db: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Refuse a store whose coalitions have another meaning, because it has a model with other players."""
    other = db.execute(
        f"""SELECT s.name FROM {name}.models s JOIN merged.models e USING (fingerprint)
        WHERE s.kinds <> e.kinds OR s.layers <> e.layers ORDER BY s.name LIMIT 1"""
    ).fetchone()
    if other is not None:
        raise CornerstoneError(
            f"{shown(path)} contradicts a store before it, so nothing was merged: it has {other[0]} with other players"
        )


def _of(name: str, number: str) -> str:
    """Return the name of the table that maps a store's numbers to those of the merged one."""
    return f"temp.{name}_{number}"


def _take_numbered(
    db: duckdb.DuckDBPyConnection,
    name: str,
    named: tuple[str, str],
    columns: tuple[tuple[str, ...], tuple[str, ...]],
    mapped: tuple[str, ...],
) -> None:
    (table, number), (identity, others) = named, columns
    joins = "".join(f" JOIN {_of(name, each)} of_{each} ON of_{each}.old = s.{each}" for each in mapped)
    column = {each: f"of_{each}.new" if each in mapped else f"s.{each}" for each in (*identity, *others)}
    same = " AND ".join(f"e.{each} = {column[each]}" for each in identity)
    db.execute(
        f"""INSERT INTO merged.{table} ({", ".join(column)}) SELECT {", ".join(column.values())}
        FROM {name}.{table} s{joins} ANTI JOIN merged.{table} e ON {same} ORDER BY s.{number}"""
    )
    db.execute(
        f"""CREATE TEMP TABLE {_of(name, number).removeprefix("temp.")} AS
        SELECT s.{number} AS old, e.{number} AS new FROM {name}.{table} s{joins} JOIN merged.{table} e ON {same}"""
    )


def _take_runs(db: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Add the runs. One that is there took part in both files: it lasted from its first start to its last end."""
    other = db.execute(
        f"""SELECT s.run FROM {name}.runs s JOIN merged.runs e ON e.run = s.run
        WHERE s.seed <> e.seed OR s.config <> e.config ORDER BY s.run LIMIT 1"""
    ).fetchone()
    if other is not None:
        raise CornerstoneError(
            f"{shown(path)} contradicts a store before it, so nothing was merged: "
            f"its run {other[0]} has another configuration"
        )
    db.execute(
        f"""UPDATE merged.runs SET started = least(runs.started, s.started),
            state = CASE WHEN s.finished > coalesce(runs.finished, '-infinity') THEN s.state ELSE runs.state END,
            finished = greatest(runs.finished, s.finished)
        FROM {name}.runs s WHERE s.run = runs.run"""
    )
    db.execute(f"INSERT INTO merged.runs SELECT s.* FROM {name}.runs s ANTI JOIN merged.runs e ON e.run = s.run")


def _take_assignments(db: duckdb.DuckDBPyConnection, name: str) -> None:
    db.execute(
        f"""INSERT INTO merged.assignments SELECT DISTINCT * FROM (
            SELECT a.run, m.new AS model, s.new AS dataset, a.doc_ids, coalesce(c.coalitions, []) AS coalitions
            FROM (SELECT rowid AS row, * FROM {name}.assignments) a
            JOIN {_of(name, "model")} m ON m.old = a.model JOIN {_of(name, "dataset")} s ON s.old = a.dataset
            LEFT JOIN (
                SELECT row, list(n.new ORDER BY place) AS coalitions
                FROM (SELECT rowid AS row, unnest(coalitions) AS old, generate_subscripts(coalitions, 1) AS place
                      FROM {name}.assignments) u
                JOIN {_of(name, "coalition")} n ON n.old = u.old GROUP BY row
            ) c ON c.row = a.row ORDER BY a.row
        ) n ANTI JOIN merged.assignments e ON e.run = n.run AND e.model = n.model AND e.dataset = n.dataset
            AND e.doc_ids = n.doc_ids AND e.coalitions = n.coalitions"""
    )


def _take_outcomes(db: duckdb.DuckDBPyConnection, name: str, path: Path) -> Taken:
    mapped = f"""{name}.outcomes o JOIN {_of(name, "model")} m ON m.old = o.model
        JOIN {_of(name, "document")} d ON d.old = o.document JOIN {_of(name, "coalition")} c ON c.old = o.coalition"""
    same = "e.model = m.new AND e.document = d.new AND e.coalition = c.new"
    _refuse_contradiction(db, mapped, same, path)
    (before,) = db.execute("SELECT count(*) FROM merged.outcomes").fetchone() or (0,)
    db.execute(
        f"""INSERT INTO merged.outcomes
        SELECT m.new, d.new, c.new, o.run, o.logprobs, o.is_greedy, o.acc, o.acc_norm, o.more, o.other
        FROM {mapped} ANTI JOIN merged.outcomes e ON {same}"""
    )
    (after,) = db.execute("SELECT count(*) FROM merged.outcomes").fetchone() or (0,)
    (has,) = db.execute(f"SELECT count(*) FROM {name}.outcomes").fetchone() or (0,)
    return Taken(path, int(has), int(after - before))


def _refuse_contradiction(db: duckdb.DuckDBPyConnection, mapped: str, same: str, path: Path) -> None:
    """Refuse an outcome that differs from the one that is there by more than other hardware explains.

    Where log-probabilities are the very same, the scores must be so too. Where they differ by rounding, two choices
    that are nearly as likely may change places, so scores may differ. So may the texts that a model wrote.
    """
    (full, half) = (f"{a} + {r} * greatest(abs(p[1]), abs(p[2]))" for a, r in (FULL_PRECISION, HALF_PRECISION))
    within = f"CASE WHEN w.dtype IN ('float16', 'bfloat16') THEN {half} ELSE {full} END"
    found = db.execute(
        f"""SELECT w.name, t.name, k.key, r.removed, o.logprobs, e.logprobs
        FROM {mapped} JOIN merged.outcomes e ON {same}
        JOIN merged.models w ON w.model = e.model JOIN merged.documents k ON k.document = e.document
        JOIN merged.tasks t ON t.task = k.task JOIN merged.coalitions r ON r.coalition = e.coalition
        WHERE CASE WHEN {written_in("o")} IS DISTINCT FROM {written_in("e")} THEN false
        WHEN o.logprobs = e.logprobs THEN
            {_differ("o.acc", "e.acc")} OR {_differ("o.acc_norm", "e.acc_norm")} OR {_more_differ()}
        ELSE len(o.logprobs) <> len(e.logprobs) OR len(list_filter(list_zip(o.logprobs, e.logprobs), lambda p:
            p[1] <> p[2] AND NOT coalesce(isfinite(p[1] - p[2]) AND abs(p[1] - p[2]) <= {within}, false))) > 0 END
        ORDER BY ALL LIMIT 1"""
    ).fetchone()
    if found is not None:
        model, task, document, removed, here, there = found
        layers = ", ".join(map(str, removed[:_LISTED_LAYERS])) + (", ..." if len(removed) > _LISTED_LAYERS else "")
        numbers = f"log-probabilities {_shown(here)} in place of {_shown(there)}" if here != there else "other scores"
        raise CornerstoneError(
            f"{shown(path)} contradicts a store before it, so nothing was merged: {model} on {task}, "
            f"document {document}, {f'without players {layers}' if removed else 'intact'}, has {numbers}"
        )


def _differ(one: str, other: str) -> str:
    return f"({one} IS DISTINCT FROM {other} AND NOT coalesce(abs({one} - {other}) <= {_METRICS_WITHIN}, false))"


def _more_differ() -> str:
    """Return the condition that the further metrics, which are JSON, differ."""
    one, other = (f"CAST(json_extract({row}.more, '$.\"' || k || '\"') AS DOUBLE)" for row in ("o", "e"))
    return f"""(o.more IS DISTINCT FROM e.more AND (o.more IS NULL OR e.more IS NULL
        OR json_keys(o.more) <> json_keys(e.more)
        OR len(list_filter(json_keys(o.more), lambda k: {_differ(one, other)})) > 0))"""


def _shown(numbers: list[float]) -> str:
    return f"[{', '.join(f'{number:.6g}' for number in numbers[:4])}{', ...' if len(numbers) > 4 else ''}]"
