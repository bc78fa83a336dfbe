"""Targets that cannot be written are refused before the work, and nothing is left of a failed write."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from core.errors import CornerstoneError
from core.machine.atomic_file import refuse_target, whole_file
from core.machine.database_file import LOG_ENDINGS


def test_a_folder_that_may_not_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_target(tmp_path / "x", force=False)
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)  # the superuser may write anywhere
    with pytest.raises(CornerstoneError, match="may not be written"):
        refuse_target(tmp_path / "x", force=False)


@pytest.mark.parametrize("name", ["n" * 300, "a\0b"])
def test_a_name_that_no_file_has_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match="cannot write"):
        refuse_target(tmp_path / name, force=False)


def test_a_store_is_replaced_by_another_store_alone(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    duckdb.connect(str(store)).close()
    logs, link = [tmp_path / f"s.duckdb{ending}" for ending in LOG_ENDINGS], tmp_path / "link.csv"
    for log in logs:
        log.write_bytes(b"outcomes that are not yet in it")
    link.symlink_to(store)
    content = store.read_bytes()
    for path in (store, *logs, link):
        with pytest.raises(CornerstoneError, match="is a database or its log"), whole_file(path, force=True) as fresh:
            fresh.write_text("player,drop", encoding="utf-8")
    assert store.read_bytes() == content
    with whole_file(store, force=True, over_store=True) as fresh:
        fresh.write_bytes(content[:12])
    assert store.read_bytes() == content[:12]


def test_other_files_are_replaced_if_that_is_asked_for(tmp_path: Path) -> None:
    for name, content in (("a.csv", b""), ("b.csv", b"player,drop\n"), ("c.wal", b"DUCK"), ("d", b"12345678DUC")):
        file = tmp_path / name
        file.write_bytes(content)
        with whole_file(file, force=True) as fresh:
            fresh.write_text("new", encoding="utf-8")
        assert file.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_is_not_replaced(force: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CornerstoneError, match="name a file"), whole_file(tmp_path / "pipe", force=force):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
