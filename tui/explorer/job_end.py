"""Which jobs have just ended, and how the terminal tells it to a person who looks elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from textual.app import App

from core.evaluator.protocol import UNFINISHED, JobView
from tui.drawing.plain import plain
from tui.explorer.clipboard import in_tmux
from tui.explorer.state import State

LONG_S: Final = 60.0
"""What a job has done in more than that is not ended without a question."""

_NO_NOTIFICATIONS: Final = frozenset({"linux", "dumb", "vt100", "vt220", ""})
"""Terminals that may print the text of a notification."""


def ended_between(before: State, now: State) -> tuple[JobView, ...]:
    """Return the jobs that were at work or waited before, and have ended now."""
    unfinished = {job.job for job in before.unfinished}
    return tuple(job for job in now.jobs if job.job in unfinished and job.state not in UNFINISHED)


def has_written(before: State, now: State) -> bool:
    """Return whether all that a job evaluated is in the store now that it has ended."""
    ended = bool(ended_between(before, now)) or (before.unsaved > 0 and now.current_job is None)
    return ended and not now.unsaved


def is_long(job: JobView) -> bool:
    """Return whether a job has worked for so long that a person minds."""
    return job.elapsed > LONG_S


def ring(app: App[Any], text: str) -> None:
    """Ring the terminal's bell, and ask the terminal to notify of a text if it knows how (OSC 9)."""
    app.bell()
    if not app.is_headless and app._driver is not None and notifies(os.environ):
        app._driver.write(notification(text))


def notifies(environment: Mapping[str, str]) -> bool:
    """Return whether a terminal may be asked for notifications: tmux drops them, others print their text."""
    return not in_tmux(environment) and environment.get("TERM", "") not in _NO_NOTIFICATIONS


def notification(text: str) -> str:
    """Return the control sequence that has a terminal show a text."""
    return f"\x1b]9;Cornerstone: {plain(text)}\x07"
