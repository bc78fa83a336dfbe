"""Names and views in a store that others made are data: maintenance runs none of them, and reads no other file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from store.maintenance.check import check
from store.maintenance.compact import compact
from store.maintenance.salvage import Salvaged, salvage
from tests.support.damaged_store import change, make_store

WITH_A_STATEMENT = ('x" t; {} --', 'x"; {} --', "x'; {} --", 'x"." {}', 'x") t; {} --')


@pytest.fixture
def store(path: Path) -> Path:
    return make_store(path)


@pytest.mark.slow
def test_names_that_end_a_statement_run_no_other(store: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    change(store, "CREATE TABLE x (a INTEGER)")
    for number, form in enumerate(WITH_A_STATEMENT):
        name = '"' + form.format(f"COPY (SELECT 1) TO '{made}'").replace('"', '""') + '"'
        change(store, f"CREATE TABLE {name} (a INTEGER)", f"CREATE TABLE y{number} ({name} INTEGER)")
        change(store, f"CREATE SCHEMA {name}", f"CREATE TABLE {name}.x (a INTEGER)")
    assert check(store, 0).sound
    compact(store, 0)
    assert isinstance(salvage(store, tmp_path / "new.duckdb", force=False, patience=0), Salvaged)
    assert check(store, 0).sound
    assert not made.exists()


def test_a_view_of_another_file_is_not_read(store: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # to read it would have no end
    change(store, f"CREATE VIEW v AS SELECT 1 AS a WHERE exists(SELECT 1 FROM read_text('{tmp_path}/p*'))")
    (problem,) = check(store, 0).problems
    assert problem.startswith("v cannot be read in full")
