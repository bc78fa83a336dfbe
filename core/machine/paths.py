"""The user's home, and the cache folder for files that can be made again (``XDG_CACHE_HOME`` and the like apply)."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from core.errors import CornerstoneError


def at_home(path: Path | str) -> Path:
    """Return a path with the home folder in place of ``~``; unchanged if there is no such user or home."""
    return Path(os.path.expanduser(path))


def cache_folder(*parts: str) -> Path:
    """Return a folder in the user's cache; create it if it does not exist.

    Raises:
        CornerstoneError: the folder cannot be created.
    """
    folder = Path(platformdirs.user_cache_dir("cornerstone", appauthor=False)).joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CornerstoneError(f"cannot make the cache folder {folder}: {error.strerror}") from error
    return folder
