"""Say now and then how many documents of a task are measured, and what the workers do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from core.study.events import StudyEvent
from tui.drawing.numbers import whole

_LINE_EVERY_S: Final = 10.0


class DocumentProgress:
    """A ``ProgressView`` of work that is counted in documents: a line every ten seconds."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._said, self._crew = clock(), ""

    def show(self, event: StudyEvent) -> None:
        """Show nothing: such work has no events of a study."""

    def advance(self, part: float) -> None:
        """Say how many documents are measured."""
        if self._clock() - self._said >= _LINE_EVERY_S:
            self._said = self._clock()
            self._say(f"{whole(round(part))} documents measured{self._crew}")

    def show_crew(self, text: str) -> None:
        """Show beside the count what the workers do."""
        self._crew = f", {text}" if text else ""

    def close(self) -> None:
        """There is nothing to take away."""
