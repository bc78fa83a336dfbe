"""Where things are kept that can be made again, per user (``XDG_CACHE_HOME`` and its likes are honoured)."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def cache_folder(*parts: str) -> Path:
    """A folder in the user's cache, made if it is not there."""
    folder = Path(platformdirs.user_cache_dir("cornerstone", appauthor=False)).joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
