"""A process's own folder goes when the process does, however it ends, and no other process's folder goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.machine.own_folder import own_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from core.machine.own_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (Path(folder) / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folders_of_killed_processes_are_deleted(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=240)
    assert done.returncode == -9
    (left,) = tmp_path.iterdir()
    (tmp_path / "another").mkdir()
    with own_folder(tmp_path) as mine:
        assert not left.exists()
        with own_folder(tmp_path) as other:
            assert Path(mine).is_dir()
            assert mine != other
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"cannot make a folder in .*nowhere: No such file"):
        own_folder(tmp_path / "nowhere")
