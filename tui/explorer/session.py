"""What was open last, kept across starts: written whenever it changes, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs
import pydantic

from core.coalitions.players import Removed
from core.config.run_config import RunConfig, load_config


class Session(pydantic.BaseModel, frozen=True):
    """What an explorer has open, and on which of its tasks what is removed of which model."""

    config: RunConfig
    model_id: str = ""
    task: str | None = None
    removed: Removed = ()


def session_path(store: Path) -> Path:
    """Where it is kept for a store (``XDG_STATE_HOME`` is honoured)."""
    name = hashlib.sha256(os.fsencode(store)).hexdigest()[:16]
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / f"session-{name}.json"


def last_session(store: Path) -> Session:
    """What was open last on a store; the quickstart's the first time, or where it can no longer be read."""
    try:
        return Session.model_validate_json(session_path(store).read_bytes())
    except (OSError, pydantic.ValidationError):
        return Session(config=load_config(Path("quickstart"), {}))


def remember(store: Path, session: Session) -> None:
    """Keep what is open now. A home that cannot be written is no reason to fail."""
    path = session_path(store)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(session.model_dump_json(), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return
