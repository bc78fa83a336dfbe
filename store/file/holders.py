"""Who has a turn at a store: the folder in which turns are taken, and the processes that hold its lock."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.errors import CornerstoneError
from core.evaluator.address import turns_folder
from core.machine.process import lock_holders

LOCK: Final = "lock"
"""The file whose lock readers share and a writer has alone."""


def folder_of(path: Path) -> Path | None:
    """Return the folder in which programs take turns at a store; None where no such folder can be made."""
    try:
        return turns_folder(path)
    except (CornerstoneError, OSError):
        return None


def having(path: Path) -> tuple[int, ...]:
    """Return the numbers of the processes that have a turn at a store; none where Linux does not tell."""
    folder = folder_of(path)
    return () if folder is None else lock_holders(folder / LOCK, "FLOCK")
