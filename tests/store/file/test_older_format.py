"""Stores in the file formats of earlier versions of DuckDB, with the log that a killed program left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store.file.log import fault_of_log
from store.file.place import log_of
from store.maintenance.check import check
from store.maintenance.salvage import salvage
from store.results import Results
from tests.support.damaged_store import make_store

PATIENCE_S = 10.0


@pytest.mark.parametrize("version", ["v1.0.0", "v1.2.0", "v1.4.0"])
def test_the_log_of_an_older_format_is_read_and_kept(version: str, tmp_path: Path) -> None:
    newer = make_store(tmp_path / "newer.duckdb")
    path = tmp_path / "older.duckdb"
    killed = f"""
import duckdb, os
db = duckdb.connect()
db.execute("ATTACH '{path}' AS older (STORAGE_VERSION '{version}')")
db.execute("ATTACH '{newer}' AS newer (READ_ONLY)")
db.execute("COPY FROM DATABASE newer TO older")
db.execute("CHECKPOINT older")
db.execute("UPDATE older.runs SET command = 'in the log'")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", killed], check=True)
    assert log_of(path).stat().st_size > 0
    assert fault_of_log(path) is None
    found = check(path, PATIENCE_S)
    assert (found.problems, found.outcomes) == ((), check(newer, PATIENCE_S).outcomes)
    saved = tmp_path / "saved.duckdb"
    salvage(path, saved, force=False, patience=PATIENCE_S)
    for store in (saved, path):
        assert {run.command for run in Results(store).runs().rows} == {"in the log"}
