"""The location of the store. Light to import, because the explorer starts without DuckDB."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_path() -> Path:
    """Return the file of the default store (``XDG_DATA_HOME`` applies)."""
    return Path(platformdirs.user_data_dir("cornerstone", appauthor=False)) / "results.duckdb"
