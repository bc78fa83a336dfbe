"""Files that a user names: never a pipe that is waited for, never too large."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.machine.regular_file import kind_at
from core.machine.small_file import read_small


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    for path, kind in {"pipe": "pipe", "folder": "folder", "/dev/null": "device"}.items():
        assert kind_at(Path(path)) == kind
        with pytest.raises(CornerstoneError, match=f"cannot read the mask: it is a {kind}|Is a directory"):
            read_small(Path(path), "the mask")


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        assert kind_at(Path("socket")) == "socket"
        with pytest.raises(CornerstoneError, match="cannot read the mask"):
            read_small(Path("socket"), "the mask")


@pytest.mark.parametrize("name", ["n" * 300, "a\0b", "loop"])
def test_a_path_that_cannot_be_looked_at_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CornerstoneError, match="cannot look at"):
        kind_at(tmp_path / name)
    with pytest.raises(CornerstoneError, match="cannot read"):
        read_small(tmp_path / name, "the mask")


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(2**40)
    with pytest.raises(CornerstoneError, match="more than 256 KiB"):
        read_small(file, "the mask")


def test_nothing_there_is_no_error_of_its_own(tmp_path: Path) -> None:
    assert kind_at(tmp_path / "x") is None
    assert kind_at(tmp_path / "x" / "y") is None
    with pytest.raises(FileNotFoundError):
        read_small(tmp_path / "x", "the mask")
