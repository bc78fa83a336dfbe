"""The session that an explorer resumes. It is written after each change, as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import platformdirs
import pydantic

from core.config.faults import worst
from core.config.limit import Limit, checked_limit
from core.config.run_config import RunConfig, documents_of, load_config
from core.errors import CornerstoneError
from core.machine.json_text import load_json
from core.machine.private_file import write_private
from core.machine.small_file import read_small
from tui.explorer.browsing import LONGEST_WRITTEN, Browsing, Comparing, Saying

_Number = Annotated[int, pydantic.Field(ge=0, lt=10**6)]


class Session(pydantic.BaseModel, frozen=True):
    """The configuration, the shown task, and the removed sublayers of the model that an explorer has open.

    ``by_hand`` is the limit on documents that was chosen, where a job has opened more: as many are evaluated of what is
    removed. ``browsing`` is what was chosen in the results browser, ``comparing`` on the compare screen. ``query`` and
    ``saying`` are what was written on the screens of SQL and of prompts.
    """

    config: RunConfig
    by_hand: Annotated[Limit, pydantic.BeforeValidator(checked_limit)] = None
    model_id: str = ""
    task: str | None = None
    removed: tuple[_Number, ...] = ()
    browsing: Browsing = Browsing()
    comparing: Comparing = Comparing()
    query: Annotated[str, pydantic.Field(max_length=LONGEST_WRITTEN)] = ""
    saying: Saying = Saying()


def session_path(store: Path) -> Path:
    """Return the session file of a store (``XDG_STATE_HOME`` applies)."""
    name = hashlib.sha256(os.fsencode(store)).hexdigest()[:16]
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / f"session-{name}.json"


def last_session(store: Path) -> Session:
    """Read the last session of a store; the quickstart's if there is none, or if it cannot be read."""
    return read_session(store)[0]


def read_session(store: Path) -> tuple[Session, str | None]:
    """Return ``last_session``, and the sentence that says why it cannot be read, if there is one that cannot."""
    path = session_path(store)
    try:
        return _read(read_small(path, f"the last session in {path}")), None
    except FileNotFoundError:
        return _quickstart(), None
    except CornerstoneError as error:
        said = str(error)
    except pydantic.ValidationError as error:
        fault = worst(error)
        said = f"{path} is no session ({'.'.join(map(str, fault['loc'])) or 'all of it'}: {fault['msg']})"
    except ValueError as error:
        said = f"{path} is no session ({error})"
    return _quickstart(), f"{said}; this is the quickstart"


def _quickstart() -> Session:
    return Session(config=load_config(Path("quickstart"), {}))


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
    # A check of files is for once.
    kept = session.model_copy(update={"config": session.config.model_copy(update={"check_files": False})})
    with suppress(OSError):
        write_private(session_path(store), kept.model_dump_json().encode())
