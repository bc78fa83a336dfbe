"""The address of an evaluator: a Unix socket for each user and store, in a folder that only the user can enter."""

from __future__ import annotations

from pathlib import Path

from core.machine.runtime_folder import runtime_folder
from core.recording.spool_folder import key_of


def socket_path(store: Path) -> Path:
    """Return the socket of the evaluator of ``store``. It is short: a socket's path has 100 characters at most."""
    return runtime_folder() / f"{key_of(store)}.sock"


def lock_path(store: Path) -> Path:
    """Return the file that an evaluator holds locked as long as it lives."""
    return runtime_folder() / f"{key_of(store)}.lock"


def log_path(store: Path) -> Path:
    """Return the log file of an evaluator that an explorer started."""
    return runtime_folder() / f"{key_of(store)}.log"


def turns_folder(store: Path) -> Path:
    """Return the folder in which the programs that use a store take turns. It may not exist yet."""
    return runtime_folder() / f"{key_of(store)}.turns"
