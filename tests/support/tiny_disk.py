"""A file system of a few megabytes, to fill it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class TinyDisk:
    """A mounted file system. ``fill`` leaves some bytes free, and ``free`` makes room again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, left: int = 0) -> None:
        """Take all room but ``left`` bytes."""
        with self._filler.open("wb") as filler:
            room = os.statvfs(self.folder)
            filler.write(bytes(max(0, room.f_bavail * room.f_frsize - left)))
            filler.flush()

    def free(self) -> None:
        self._filler.unlink()


@contextmanager
def tiny_disk(folder: Path, megabytes: int = 8) -> Iterator[TinyDisk]:
    """Mount one; skip the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no file system can be mounted: {error}")
    if done.returncode:
        pytest.skip(f"no file system can be mounted: {done.stderr.strip()}")
    try:
        yield TinyDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
