"""The session that an explorer resumes. It is written after each change, as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import platformdirs
import pydantic

from core.coalitions.players import Removed
from core.config.run_config import RunConfig, documents_of, load_config


class Session(pydantic.BaseModel, frozen=True):
    """The configuration, the shown task, and the removed sublayers of the model that an explorer has open."""

    config: RunConfig
    model_id: str = ""
    task: str | None = None
    removed: Removed = ()


def session_path(store: Path) -> Path:
    """Return the session file of a store (``XDG_STATE_HOME`` applies)."""
    name = hashlib.sha256(os.fsencode(store)).hexdigest()[:16]
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / f"session-{name}.json"


def last_session(store: Path) -> Session:
    """Read the last session of a store; the quickstart's if there is none, or if it cannot be read."""
    try:
        text = session_path(store).read_text(encoding="utf-8")
        return _read(text)
    except (OSError, ValueError):
        return Session(config=load_config(Path("quickstart"), {}))


def _read(text: str) -> Session:
    """Read a session, without its schedules and settings if a plugin that named them is gone."""
    try:
        return Session.model_validate_json(text)
    except pydantic.ValidationError:
        content = json.loads(text)
        config = documents_of(json.dumps(content["config"] if isinstance(content, dict) else None))
        return Session.model_validate({**content, "config": config})


def remember(store: Path, session: Session) -> None:
    """Write the session. A home folder that cannot be written is no error."""
    path = session_path(store)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A check of files is for once.
        kept = session.model_copy(update={"config": session.config.model_copy(update={"check_files": False})})
        fresh.write_text(kept.model_dump_json(), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return
