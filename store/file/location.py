"""Where the store is. Light to import: the explorer starts without DuckDB."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_path() -> Path:
    """Where results are kept unless told otherwise (``XDG_DATA_HOME`` is honoured)."""
    return Path(platformdirs.user_data_dir("cornerstone", appauthor=False)) / "results.duckdb"


def named(path: Path) -> Path | None:
    """The store at ``path`` as a command names it: None for the default one, of which nothing need be said."""
    return None if path == default_path() else path


def store_option(path: Path) -> list[str]:
    """The arguments that name the store at ``path``: none for the default one."""
    store = named(path)
    return [] if store is None else ["--store", str(store)]
