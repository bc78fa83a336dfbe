"""Only regular files are opened, and nothing waits for another program."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from core.machine.regular_file import open_regular, real_path


def test_a_file_and_a_link_to_it_are_opened(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("content")
    link.symlink_to(file)
    with open_regular(link) as opened:
        assert opened.read() == b"content"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_pipe_and_a_socket_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe"):
        open_regular(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="socket"):
            open_regular(tmp_path / "socket")


def test_folders_devices_and_odd_names_are_refused(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "it is a folder"),
        (Path(os.devnull), "device"),
        (tmp_path / ("x" * 300), "too long"),
        (tmp_path / "nul\0l", "null character"),
    ):
        with pytest.raises(OSError, match=said):
            open_regular(path)


def test_the_real_path_of_what_cannot_be_followed_is_absolute(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (loop, tmp_path / ("x" * 5000), tmp_path / "nul\0l"):
        assert real_path(path).is_absolute()
