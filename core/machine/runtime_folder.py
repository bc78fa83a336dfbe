"""The folder of a user's sockets and locks."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from core.errors import CornerstoneError


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
        raise CornerstoneError(f"cannot make {folder} for sockets: {error.strerror}") from error
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise CornerstoneError(f"{folder} is not a folder of yours alone; remove it, so that it can be made anew")
    return folder


def _base() -> Path:
    return Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())
