"""Where the store is. Light to import: the explorer starts without DuckDB."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_path() -> Path:
    """Where results are kept unless told otherwise (``XDG_DATA_HOME`` is honoured)."""
    return Path(platformdirs.user_data_dir("cornerstone", appauthor=False)) / "results.duckdb"
