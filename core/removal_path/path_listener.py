"""A listener to the search of a removal path. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.removal_path.rows import PathRow
from core.study.events import StudyEvent
from core.study.listener import Listener


class PathListener(Listener, Protocol):
    """Follows a search: also gets the events of its studies and the rows of each step."""

    def on_event(self, event: StudyEvent) -> None:
        """Take an event of the study that evaluates a step."""

    def on_step(self, rows: Sequence[PathRow]) -> None:
        """Take a step's rows as soon as the step is taken, the one over all tasks last."""
