"""Damage a file, or put something else in its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Change = Callable[[Path], object]
"""Puts a fault into a model folder."""


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def grown(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def pipe_in_place(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_in_place(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def many_values(path: Path, count: int = 10**6) -> None:
    """Write a JSON object of many values, each of which is small in the file and large in memory."""
    path.write_text('{"a": [' + ",".join(["{}"] * count) + "]}")
