"""Facts that are kept in files: written whole or not at all, and checked when they are read.

A file names what its fact is about, and carries a checksum. A file that is damaged, or about something else, counts as
absent, so its fact is made again. A fact that cannot be written is not kept, and nothing else changes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from core.errors import CornerstoneError
from core.machine.regular_file import opened_regular


def read_fact(path: Path, about: Mapping[str, Any]) -> Any:
    """Return the fact about ``about`` that is kept in a file; None if there is none, or if the file is damaged."""
    try:
        with opened_regular(path) as file:
            content = json.loads(file.read())
    except (CornerstoneError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("about") != about or "fact" not in content:
        return None
    return content["fact"] if content.get("sha256") == _checksum(about, content["fact"]) else None


def keep_fact(path: Path, about: Mapping[str, Any], fact: Any) -> bool:
    """Keep a JSON value about ``about`` in a file, whose folder exists. Return whether that was possible."""
    text = json.dumps({"about": about, "fact": fact, "sha256": _checksum(about, fact)})
    return write_whole(path, text.encode())


def write_whole(path: Path, content: bytes) -> bool:
    """Write a file, in place of one that is there, whole or not at all; return whether that was possible."""
    fresh: Path | None = None
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:64]}-", delete=False) as file:
            fresh = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
        return False
    return True


def _checksum(about: Mapping[str, Any], fact: Any) -> str:
    return hashlib.sha256(json.dumps([about, fact], sort_keys=True).encode()).hexdigest()
