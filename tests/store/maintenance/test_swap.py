"""A store that replaces another: where that fails, the old file has its log again."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest

from core.errors import CornerstoneError
from store.maintenance.swap import replaced
from tests.support.damaged_store import contents, leave_log, make_store


def test_a_store_that_cannot_be_replaced_keeps_its_log(tmp_path: Path) -> None:
    path = make_store(tmp_path / "s.duckdb")
    leave_log(path)
    before = contents(path)
    assert before[1]
    refused = mock.patch("os.replace", side_effect=PermissionError(1, "Operation not permitted"))
    with refused, pytest.raises(CornerstoneError, match="Operation not permitted"), replaced(path, None) as fresh:
        fresh.write_bytes(b"new")
    assert contents(path) == before
    assert sorted(os.listdir(tmp_path)) == ["s.duckdb", "s.duckdb.wal"]


def test_the_log_of_the_replaced_file_goes_with_it(tmp_path: Path) -> None:
    path = make_store(tmp_path / "s.duckdb")
    leave_log(path)
    with replaced(path, None) as fresh:
        fresh.write_bytes(b"new")
    assert contents(path) == (b"new", None)
    assert os.listdir(tmp_path) == ["s.duckdb"]
