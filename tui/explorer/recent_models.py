"""The models that were opened last, of all stores. They are kept in the user's state folder."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

from core.errors import CornerstoneError
from core.machine.json_text import load_json
from core.machine.private_file import write_private
from core.machine.small_file import read_small

_MOST: Final = 12


def recent_models() -> tuple[str, ...]:
    """Return the names of the models that were opened last, the latest first; none if they cannot be read."""
    path = _path()
    try:
        content = load_json(read_small(path, f"the last models in {path}"))
    except (CornerstoneError, OSError, ValueError):
        return ()
    return tuple(one for one in content if isinstance(one, str) and one)[:_MOST] if isinstance(content, list) else ()


def remember_model(name: str) -> None:
    """Put a model before the others. A home folder that cannot be written is no error."""
    before = recent_models()
    if before[:1] == (name,):
        return
    names = [name, *(one for one in before if one != name)][:_MOST]
    with suppress(OSError):
        write_private(_path(), json.dumps(names).encode())


def _path() -> Path:
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / "recent-models.json"
