"""Tell a damaged store from a fault of the program: look whether all of the file can be read and fits together."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import duckdb

from core.coalitions.players import LAYERS_BOUND, PlayerKind
from core.errors import CornerstoneError, Mend
from store.file.place import shown
from store.file.schema import COLUMNS, VERSION, Columns, difference

UNLIKE_LAYERS: Final = f"""(len(layers) <> len(kinds) OR list_count(layers) < len(layers)
    OR layers <> list_sort(layers) OR layers[1] < 0 OR layers[-1] >= {LAYERS_BOUND})"""
"""The condition for models whose layers are not those of their players, in the order in which these run."""

UNKNOWN_KINDS: Final = f"len(list_filter(kinds, lambda kind: kind IS NULL OR kind NOT IN {get_args(PlayerKind)})) > 0"
"""The condition for models that have a player of no kind that there is."""

# Each finds rows that name what is not there, or that cannot be what the recorder wrote.
_WRONG = {
    "data sets name a task that is missing": "datasets ANTI JOIN tasks USING (task)",
    "documents name a task that is missing": "documents ANTI JOIN tasks USING (task)",
    "members name a data set that is missing": "members ANTI JOIN datasets USING (dataset)",
    "members name a document that is missing": "members ANTI JOIN documents USING (document)",
    "assignments name a run that is missing": "assignments ANTI JOIN runs USING (run)",
    "assignments name a model that is missing": "assignments ANTI JOIN models USING (model)",
    "assignments name a data set that is missing": "assignments ANTI JOIN datasets USING (dataset)",
    "assignments name a coalition that is missing": (
        "(SELECT unnest(coalitions) AS coalition FROM assignments) ANTI JOIN coalitions USING (coalition)"
    ),
    "outcomes name a model that is missing": "outcomes ANTI JOIN models USING (model)",
    "outcomes name a document that is missing": "outcomes ANTI JOIN documents USING (document)",
    "outcomes name a coalition that is missing": "outcomes ANTI JOIN coalitions USING (coalition)",
    "coalitions have a player that is no number": "coalitions WHERE list_count(removed) < len(removed)",
    "outcomes are without a player that their model lacks": (
        "outcomes JOIN coalitions USING (coalition) JOIN models USING (model) "
        "WHERE list_max(removed) >= len(kinds) OR list_min(removed) < 0"
    ),
    "outcomes have a log-probability that is no number": "outcomes WHERE list_count(logprobs) < len(logprobs)",
    "models do not have the layer of each player": f"models WHERE {UNLIKE_LAYERS}",
    "models have a player of an unknown kind": f"models WHERE {UNKNOWN_KINDS}",
    "runs have versions that are no JSON object": (
        "runs WHERE CASE WHEN json_valid(versions) THEN json_type(versions) ELSE '' END <> 'OBJECT'"
    ),
    "outcomes have metrics that are no JSON object": (
        "outcomes WHERE more IS NOT NULL AND CASE WHEN json_valid(more) THEN json_type(more) ELSE '' END <> 'OBJECT'"
    ),
}


def damaged(path: Path, what: str) -> CornerstoneError:
    """Return the error of a damaged store; ``what`` says what is wrong with it."""
    said = f"the store {shown(path)} is damaged ({what}); nothing was changed"
    return CornerstoneError(said, Mend.SALVAGE_STORE, path)


def tables_of(connection: duckdb.DuckDBPyConnection) -> Columns:
    """Return the tables of an open file with their columns."""
    rows = connection.execute(
        """SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE NOT internal AND schema_name = 'main' ORDER BY table_name, column_index"""
    ).fetchall()
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for table, column, kind in rows:
        found[str(table)] = (*found.get(str(table), ()), (str(column), str(kind)))
    return found


def fault_of(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return in words what is wrong with the content of an open store; None if it is sound.

    Every column of every table is read, so that DuckDB compares the checksum of each block that holds rows.
    """
    (version,) = connection.execute("SELECT max(schema_version) FROM meta").fetchone() or (None,)
    fault = difference(tables_of(connection), version or VERSION)
    if fault is not None:
        return fault
    for table in COLUMNS:
        try:
            connection.execute(f"SELECT bit_xor(hash({table})) FROM {table}").fetchall()
        except (duckdb.Error, UnicodeDecodeError):
            return f"the table {table} cannot be read"
    for what, rows in _WRONG.items():
        if version != VERSION and UNLIKE_LAYERS in rows:
            continue  # an older store does not have them
        if connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is not None:
            return what
    return None
