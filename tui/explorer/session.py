"""The session that an explorer resumes. It is written after each change, as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import platformdirs
import pydantic

from core.config.faults import worst
from core.config.run_config import RunConfig, documents_of, load_config
from core.errors import CornerstoneError
from core.machine.json_text import load_json
from core.machine.small_file import read_small

_Number = Annotated[int, pydantic.Field(ge=0, lt=10**6)]


class Session(pydantic.BaseModel, frozen=True):
    """The configuration, the shown task, and the removed sublayers of the model that an explorer has open."""

    config: RunConfig
    model_id: str = ""
    task: str | None = None
    removed: tuple[_Number, ...] = ()


def session_path(store: Path) -> Path:
    """Return the session file of a store (``XDG_STATE_HOME`` applies)."""
    name = hashlib.sha256(os.fsencode(store)).hexdigest()[:16]
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / f"session-{name}.json"


def last_session(store: Path) -> Session:
    """Read the last session of a store; the quickstart's if there is none, or if it cannot be read."""
    return read_session(store)[0]


def read_session(store: Path) -> tuple[Session, str | None]:
    """Return ``last_session``, and the sentence that says why it cannot be read, if there is one that cannot."""
    quickstart = Session(config=load_config(Path("quickstart"), {}))
    path = session_path(store)
    try:
        return _read(read_small(path, f"the last session in {path}")), None
    except FileNotFoundError:
        return quickstart, None
    except CornerstoneError as error:
        said = str(error)
    except pydantic.ValidationError as error:
        fault = worst(error)
        said = f"{path} is no session ({'.'.join(map(str, fault['loc'])) or 'all of it'}: {fault['msg']})"
    except ValueError as error:
        said = f"{path} is no session ({error})"
    return quickstart, f"{said}; this is the quickstart"


def _read(text: bytes) -> Session:
    """Read a session, without its schedules and settings if a plugin that named them is gone."""
    content = load_json(text)
    try:
        return Session.model_validate_json(text)
    except pydantic.ValidationError:
        if not isinstance(content, Mapping):
            raise
        config = documents_of(json.dumps(content.get("config")))
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
