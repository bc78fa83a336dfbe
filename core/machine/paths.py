"""Where things are kept that can be made again, per user (``XDG_CACHE_HOME`` and its likes are honoured)."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from core.errors import CornerstoneError


def cache_folder(*parts: str) -> Path:
    """A folder in the user's cache, made if it is not there.

    Raises:
        CornerstoneError: it cannot be made.
    """
    folder = Path(platformdirs.user_cache_dir("cornerstone", appauthor=False)).joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CornerstoneError(f"cannot make the cache folder {folder}: {error.strerror}") from error
    return folder
