"""Folders that belong to one process, and are deleted when it ends or, if it was killed, by the next that makes one."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from core.errors import CornerstoneError


def own_folder(parent: Path) -> TemporaryDirectory[str]:
    """Make a folder in ``parent`` for this process, and delete there what killed processes left.

    Raises:
        CornerstoneError: the folder cannot be made.
    """
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:8]  # another host may use the same parent
    prefix = f".of-{host}-"
    for left in parent.glob(f"{prefix}*"):
        process = left.name.removeprefix(prefix).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    try:
        return TemporaryDirectory(dir=parent, prefix=f"{prefix}{os.getpid()}-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CornerstoneError(f"cannot make a folder in {parent}: {error.strerror}") from error
