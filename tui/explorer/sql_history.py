"""The queries that were run before, kept in a file, which explorers that run side by side share."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

from core.errors import CornerstoneError
from core.machine.json_text import load_json
from core.machine.private_file import write_private
from core.machine.small_file import MOST_BYTES, read_small

_MOST: Final = 200
_LONGEST: Final = 10_000


def history_path() -> Path:
    """Return the path of the file (``XDG_STATE_HOME`` applies)."""
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / "sql-history.json"


def past_queries() -> tuple[str, ...]:
    """Read the queries that were run, the latest last; none if the file is not there or cannot be read."""
    path = history_path()
    try:
        content = load_json(read_small(path, f"the queries in {path}"))
    except (OSError, CornerstoneError, ValueError):
        return ()
    return tuple(one for one in content if isinstance(one, str))[-_MOST:] if isinstance(content, list) else ()


def remember_query(query: str) -> None:
    """Add a query as the latest. A home folder that cannot be written is no error."""
    if len(query) > _LONGEST:
        return
    kept = [*(one for one in past_queries() if one != query), query][-_MOST:]
    while len(text := json.dumps(kept, indent=0)) > MOST_BYTES:
        del kept[0]
    with suppress(OSError):
        write_private(history_path(), text.encode())
