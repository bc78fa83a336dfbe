"""Progress on stderr: a bar with rate and time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from core.events import ChunkRecorded, PhaseFinished, PhaseStarted, StudyEvent
from tui.text import plain


class ProgressView(Protocol):
    """Shows a study's events until closed."""

    def show(self, event: StudyEvent) -> None: ...

    def close(self) -> None: ...


def progress_on(console: Console, say: Callable[[str], None]) -> ProgressView:
    """The view that fits where stderr goes; ``say`` prints a line."""
    return BarProgress(console) if console.is_terminal else LineProgress(say)


class BarProgress:
    """One bar a phase."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f} outcomes  {task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            console=console,
        )
        self._current: TaskID | None = None
        self._rate = _Rate(time.monotonic)
        self._bar.start()

    def show(self, event: StudyEvent) -> None:
        match event:
            case PhaseStarted(phase, stored):
                self._rate.start(stored)
                title = f"{phase.schedule} on {plain(phase.task.name)}"
                self._current = self._bar.add_task(title, total=phase.total, completed=stored, rate="")
            case ChunkRecorded(_, done) if self._current is not None:
                self._bar.update(self._current, completed=done, rate=f"{self._rate.of(done):.0f}/s")
            case _:
                pass

    def close(self) -> None:
        self._bar.stop()


class LineProgress:
    """A line at the start and end of a phase, and in between not more often than ``every`` seconds."""

    def __init__(
        self, say: Callable[[str], None], every: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._every = every
        self._clock = clock
        self._said = clock()
        self._rate = _Rate(clock)

    def show(self, event: StudyEvent) -> None:
        phase = event.phase
        name = f"{phase.schedule} on {plain(phase.task.name)}"
        match event:
            case PhaseStarted(_, stored):
                self._rate.start(stored)
                known = f", {stored} already stored" if stored else ""
                self._say(
                    f"{name}: {phase.documents} documents under {phase.coalitions} coalitions, "
                    f"{phase.total} outcomes{known}"
                )
            case ChunkRecorded(_, done) if self._clock() - self._said >= self._every:
                rate = self._rate.of(done)
                left = f", about {(phase.total - done) / rate:.0f} s left" if rate else ""
                self._say(f"{name}: {done} of {phase.total} outcomes ({rate:.0f}/s{left})")
                self._said = self._clock()
            case PhaseFinished():
                self._say(f"{name}: done")
            case _:
                pass

    def close(self) -> None:
        """Nothing to tidy."""


class _Rate:
    """Outcomes a second since a phase began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._from, self._since = 0, clock()

    def start(self, done: int) -> None:
        self._from, self._since = done, self._clock()

    def of(self, done: int) -> float:
        seconds = self._clock() - self._since
        return (done - self._from) / seconds if seconds > 0 else 0.0
