"""The columns of a store of this version, as the SQL of ``database`` makes them. A test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Columns = Mapping[str, tuple[tuple[str, str], ...]]
"""By table: the name and the type of each column, in order."""

COLUMNS: Final[Columns] = MappingProxyType(
    {
        "meta": (("schema_version", "INTEGER"),),
        "models": (
            ("model", "INTEGER"),
            ("fingerprint", "VARCHAR"),
            ("name", "VARCHAR"),
            ("source", "VARCHAR"),
            ("revision", "VARCHAR"),
            ("dtype", "VARCHAR"),
            ("family", "VARCHAR"),
            ("kinds", "VARCHAR[]"),
            ("layers", "INTEGER[]"),
        ),
        "tasks": (
            ("task", "INTEGER"),
            ("fingerprint", "VARCHAR"),
            ("name", "VARCHAR"),
            ("version", "VARCHAR"),
            ("num_fewshot", "INTEGER"),
            ("chat_template", "BOOLEAN"),
            ("output_type", "VARCHAR"),
            ("mean_metrics", "VARCHAR[]"),
            ("other_metrics", "VARCHAR[]"),
        ),
        "datasets": (
            ("dataset", "INTEGER"),
            ("task", "INTEGER"),
            ("fingerprint", "VARCHAR"),
            ("source", "VARCHAR"),
            ("size", "INTEGER"),
        ),
        "documents": (
            ("document", "INTEGER"),
            ("task", "INTEGER"),
            ("key", "VARCHAR"),
            ("gold", "INTEGER[]"),
            ("prompt", "VARCHAR"),
            ("choices", "VARCHAR[]"),
        ),
        "members": (("dataset", "INTEGER"), ("doc_id", "INTEGER"), ("document", "INTEGER")),
        "coalitions": (("coalition", "INTEGER"), ("removed", "INTEGER[]")),
        "runs": (
            ("run", "VARCHAR"),
            ("started", "TIMESTAMP"),
            ("finished", "TIMESTAMP"),
            ("state", "VARCHAR"),
            ("command", "VARCHAR"),
            ("config", "VARCHAR"),
            ("versions", "VARCHAR"),
            ("seed", "BIGINT"),
        ),
        "assignments": (
            ("run", "VARCHAR"),
            ("model", "INTEGER"),
            ("dataset", "INTEGER"),
            ("doc_ids", "INTEGER[]"),
            ("coalitions", "INTEGER[]"),
        ),
        "outcomes": (
            ("model", "INTEGER"),
            ("document", "INTEGER"),
            ("coalition", "INTEGER"),
            ("run", "VARCHAR"),
            ("logprobs", "DOUBLE[]"),
            ("is_greedy", "BOOLEAN[]"),
            ("acc", "DOUBLE"),
            ("acc_norm", "DOUBLE"),
            ("more", "VARCHAR"),
            ("other", "VARCHAR"),
        ),
    }
)

VERSION: Final = 2
"""The version of the schema."""

# The version with which a column came that was not there from the first on.
_CAME_WITH: Final = {("models", "layers"): 2}


def columns_of(version: int) -> Columns:
    """Return the columns of a store of a version that this program knows."""
    return {
        table: tuple(column for column in columns if _CAME_WITH.get((table, column[0]), 1) <= version)
        for table, columns in COLUMNS.items()
    }


def difference(found: Columns, version: int = VERSION) -> str | None:
    """Return in words how the tables of a file differ from those of a store; None if they do not. More tables may be.

    Args:
        found: the tables of the file.
        version: the version of the store.
    """
    for table, columns in columns_of(version).items():
        if table not in found:
            return f"the table {table} is missing"
        if found[table] != columns:
            return f"the table {table} {_of_columns(dict(columns), dict(found[table]))}"
    return None


def _of_columns(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    for name, kind in wanted.items():
        if name not in found:
            return f"has no column {name}"
        if found[name] != kind:
            return f"has a column {name} of type {found[name]} instead of {kind}"
    more = [name for name in found if name not in wanted]
    return f"has a column {more[0]} too many" if more else "has its columns in another order"
