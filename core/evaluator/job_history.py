"""The history of jobs: a file of a store's jobs that a later evaluator reads.

It is in the user's state and not in the store. The store keeps what was evaluated, with its runs; a job is a request to
this user's evaluator, also one that failed before it had a run. And a job ends also while the store is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import platformdirs
import pydantic

from core.errors import CornerstoneError
from core.evaluator.protocol import UNFINISHED, JobView
from core.machine.json_text import load_json
from core.machine.private_file import write_private
from core.machine.small_file import read_small
from core.recording.spool_folder import key_of

MOST_JOBS: Final = 50
"""The most jobs that are kept; the oldest are forgotten."""

_MOST_BYTES: Final = 2**24
_JOBS: Final = pydantic.TypeAdapter(tuple[JobView, ...])


def history_path(store: Path) -> Path:
    """Return the file of a store's jobs (``XDG_STATE_HOME`` applies)."""
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / "jobs" / f"{key_of(store)}.json"


def keep_history(store: Path, jobs: Sequence[JobView]) -> None:
    """Write the latest of some jobs, in place of those that were kept.

    Raises:
        CornerstoneError: they cannot be written.
    """
    path = history_path(store)
    try:
        write_private(path, _JOBS.dump_json(tuple(jobs[-MOST_JOBS:])))
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def read_history(store: Path) -> tuple[JobView, ...]:
    """Return the jobs that were kept, the oldest first. One that had not ended was interrupted.

    A job that this version cannot read, as one of a plugin that is gone, is left out; of a damaged file, all are.
    """
    path = history_path(store)
    try:
        content = load_json(read_small(path, str(path), _MOST_BYTES))
    except (FileNotFoundError, CornerstoneError, ValueError):
        return ()
    return tuple(job for one in content if (job := _job(one)) is not None) if isinstance(content, list) else ()


def _job(content: object) -> JobView | None:
    try:
        job = JobView.model_validate(content)
    except pydantic.ValidationError:
        return None
    interrupted = {"state": "interrupted", "seconds_left": None}
    return job.model_copy(update=interrupted) if job.state in UNFINISHED else job
