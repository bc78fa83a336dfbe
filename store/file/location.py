"""The location of the store. Light to import, because the explorer starts without DuckDB."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_path() -> Path:
    """Return the file of the default store (``XDG_DATA_HOME`` applies)."""
    return Path(platformdirs.user_data_dir("cornerstone", appauthor=False)) / "results.duckdb"


def named(path: Path) -> Path | None:
    """Return the path as a command must name it: None for the default store, which needs no name."""
    return None if path == default_path() else path


def store_option(path: Path) -> list[str]:
    """Return the command-line arguments that name the store at ``path``; none for the default store."""
    store = named(path)
    return [] if store is None else ["--store", str(store)]
