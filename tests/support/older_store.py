"""Stores as earlier versions of this program wrote them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import duckdb

from store.file.connection import SETTINGS
from store.file.schema import columns_of


def of_version_1(path: Path, older: Path) -> Path:
    """Write what is in a store of two players a layer as version 1 kept it, and return the new file."""
    with duckdb.connect(str(older), config=SETTINGS) as db:
        db.execute((resources.files("store") / "schema.sql").read_text(encoding="utf-8"))
        db.execute(f"ATTACH '{path}' AS newer (READ_ONLY)")
        for table, columns in columns_of(1).items():
            if table != "meta":
                names = ", ".join(name for name, _ in columns)
                db.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM newer.{table}")
        found = db.execute("SELECT last_value FROM duckdb_sequences() WHERE database_name = 'newer'").fetchone()
        db.execute("SELECT max(nextval('ids')) FROM range(?)", list(found or (0,)))
        db.execute("INSERT INTO meta VALUES (1)")
    return older
