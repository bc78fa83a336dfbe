"""Targets that cannot be written are refused before the work, and nothing is left of a failed write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.machine.atomic_file import refuse_target, whole_file


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


@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_is_not_replaced(force: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CornerstoneError, match="name a file"), whole_file(tmp_path / "pipe", force=force):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
