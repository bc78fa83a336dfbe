"""Where the store is. Light to import: the explorer starts without DuckDB."""

from __future__ import annotations

import shlex
from pathlib import Path

import platformdirs


def default_path() -> Path:
    """Where results are kept unless told otherwise (``XDG_DATA_HOME`` is honoured)."""
    return Path(platformdirs.user_data_dir("cornerstone", appauthor=False)) / "results.duckdb"


def on_store(command: str, path: Path) -> str:
    """A command line for the store at ``path``, which need not be said of the default one."""
    return command if path == default_path() else f"{command} --store {shlex.quote(str(path))}"
