"""The address of an evaluator: a Unix socket for each user and store, in a folder that only the user can enter."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from core.errors import CornerstoneError
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


def runtime_folder() -> Path:
    """Return a folder that only this user can enter, and make it if it does not exist.

    It is not XDG_RUNTIME_DIR, which is emptied at logout: an evaluator outlives the session that started it.

    Raises:
        CornerstoneError: the folder cannot be made, somebody else owns it, or others may enter it.
    """
    folder = _base() / f"cornerstone-{os.getuid()}"
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise CornerstoneError(f"cannot make {folder} for the evaluator's socket: {error.strerror}") from error
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise CornerstoneError(f"{folder} is not a folder of yours alone; remove it, so that it can be made anew")
    return folder


def _base() -> Path:
    return Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())
