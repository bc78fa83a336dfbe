"""The columns that a store of each version is expected to have are those that its schema makes."""

from __future__ import annotations

from importlib import resources

import duckdb

from store.file.database import _STEPS
from store.file.schema import COLUMNS, VERSION, columns_of, difference
from store.file.sound import tables_of


def test_the_expected_columns_are_those_of_the_schema() -> None:
    assert len(_STEPS) == VERSION
    with duckdb.connect() as db:
        for version, step in enumerate(_STEPS, start=1):
            db.execute((resources.files("store") / step).read_text(encoding="utf-8"))
            assert tables_of(db) == columns_of(version)
            assert difference(tables_of(db), version) is None
        assert tables_of(db) == dict(COLUMNS)
