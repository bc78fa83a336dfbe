"""The columns that a store is expected to have are those that its schema makes."""

from __future__ import annotations

from importlib import resources

import duckdb

from store.file.schema import COLUMNS, difference
from store.file.sound import tables_of


def test_the_expected_columns_are_those_of_the_schema() -> None:
    with duckdb.connect() as db:
        db.execute((resources.files("store") / "schema.sql").read_text(encoding="utf-8"))
        assert tables_of(db) == dict(COLUMNS)
        assert difference(tables_of(db)) is None
