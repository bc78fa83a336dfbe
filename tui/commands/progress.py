"""Show progress on stderr: a bar with rate and time left on a terminal, else a plain line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from core.study.events import (
    ChunkRecorded,
    CostLooked,
    DocumentsSkipped,
    MemoryShort,
    Phase,
    PhaseFinished,
    PhaseStarted,
    StudyEvent,
    TopLooked,
    WorkersChanged,
)
from core.study.meter import Meter
from tui.drawing.event_text import MEMORY_SHORT, skipped_text, standings_text, verdict_text
from tui.drawing.numbers import at_most, rate_text
from tui.drawing.numbers import clock as in_clock
from tui.drawing.plain import counted, plain

_REDRAWS_A_SECOND = 4
_LINE_EVERY_S = 10.0
_MEMORY_SHORT = f"{MEMORY_SHORT} (--memory GIB sets how much it may take)"


class ProgressView(Protocol):
    """Shows a study's events until closed."""

    def show(self, event: StudyEvent) -> None: ...

    def advance(self, part: float) -> None:
        """Show how many outcomes of the chunk in flight are done."""

    def show_crew(self, text: str) -> None:
        """Show beside the rate what the workers do."""

    def close(self) -> None: ...


def progress_on(console: Console, say: Callable[[str], None]) -> ProgressView:
    """Return the view that suits stderr. ``say`` prints a line."""
    return BarProgress(console, say) if console.is_terminal else LineProgress(say)


class BarProgress:
    """One bar for each phase. It disappears when the phase ends."""

    def __init__(self, console: Console, say: Callable[[str], None]) -> None:
        self._console = console
        self._say = say
        self._meter = Meter()
        self._bar: Progress | None = None
        self._row = TaskID(0)
        self._stored, self._began = 0, 0.0
        self._most = self._known = self._crew = ""

    def show(self, event: StudyEvent) -> None:
        match event:
            case PhaseStarted(phase, stored):
                self._meter.start(stored)
                self._stored, self._began, self._known = stored, time.monotonic(), ""
                if stored < phase.total:
                    self._start(phase)
            case ChunkRecorded(_, done):
                self._meter.reach(done)
                self._draw()
            case MemoryShort():
                self._say(_MEMORY_SHORT)
            case WorkersChanged():
                pass  # shown with their rates, by ``show_crew``
            case DocumentsSkipped():
                self._say(skipped_text(event))
            case TopLooked(_, verdict) | CostLooked(_, verdict) if verdict.final:
                self._say(verdict_text(verdict))
            case TopLooked(_, verdict) | CostLooked(_, verdict):
                self._known = f"  {standings_text(verdict)}"
            case PhaseFinished(phase):
                self.close()
                done = round(self._meter.done)
                took = f"in {time.monotonic() - self._began:.0f} s" if self._stored < done else "stored already"
                self._say(f"{_name(phase)}: {counted(done, 'outcome')} {took}")

    def advance(self, part: float) -> None:
        self._meter.advance(part)
        self._draw()

    def show_crew(self, text: str) -> None:
        self._crew = f"  {text}"

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self, phase: Phase) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.fields[most]}{task.total:.0f}{task.fields[pace]}", markup=False),
            console=self._console,
            refresh_per_second=_REDRAWS_A_SECOND,
            transient=True,
        )
        self._most = at_most(phase.in_rounds)
        self._row = self._bar.add_task(
            _name(phase), total=phase.total, completed=self._stored, pace="", most=self._most
        )
        self._bar.start()

    def _draw(self) -> None:
        """Update the bar, which redraws itself a few times a second."""
        if self._bar is not None:
            total = self._bar.tasks[0].total or 0
            pace = _pace(self._meter, total - self._meter.done, self._most)
            self._bar.update(self._row, completed=self._meter.done, pace=pace + self._crew + self._known)


class LineProgress:
    """A line at the start and the end of a phase, and between them at most one every ten seconds."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._said = clock()
        self._meter = Meter(clock)
        self._phase: Phase | None = None
        self._known = self._crew = ""

    def show(self, event: StudyEvent) -> None:
        match event:
            case PhaseStarted(phase, stored):
                self._meter.start(stored)
                self._phase, self._known = phase, ""
                self._begin(phase, stored)
            case ChunkRecorded(_, done):
                self._meter.reach(done)
                self._say_now_and_then()
            case MemoryShort():
                self._say(_MEMORY_SHORT)
            case WorkersChanged():
                pass  # shown with their rates, by ``show_crew``
            case DocumentsSkipped():
                self._say(skipped_text(event))
            case TopLooked(_, verdict) | CostLooked(_, verdict) if verdict.final:
                self._say(verdict_text(verdict))
            case TopLooked(_, verdict) | CostLooked(_, verdict):
                self._known = f"  {standings_text(verdict)}"
            case PhaseFinished(phase):
                self._say(f"{_name(phase)}: done")

    def advance(self, part: float) -> None:
        self._meter.advance(part)
        self._say_now_and_then()

    def show_crew(self, text: str) -> None:
        self._crew = f"  {text}"

    def close(self) -> None:
        """Do nothing: lines need no cleaning up."""

    def _begin(self, phase: Phase, stored: int) -> None:
        known = f", {stored} already stored" if stored else ""
        most = "at most " if phase.in_rounds else ""
        self._say(
            f"{_name(phase)}: {counted(phase.documents, 'document')} under {most}"
            f"{counted(phase.coalitions, 'coalition')}, {counted(phase.total, 'outcome')}{known}"
        )
        self._said = self._clock()

    def _say_now_and_then(self) -> None:
        if self._phase is None or self._clock() - self._said < _LINE_EVERY_S:
            return
        left = self._phase.total - self._meter.done
        if left >= 1:
            most = "at most " if self._phase.in_rounds else ""
            pace = _pace(self._meter, left, most)
            far = f"{self._meter.done:.0f} of {most}{self._phase.total} outcomes"
            self._say(f"{_name(self._phase)}: {far}{pace}{self._crew}{self._known}")
            self._said = self._clock()


def _name(phase: Phase) -> str:
    return f"{phase.schedule} on {plain(phase.task.name)}"


def _pace(meter: Meter, left: float, most: str) -> str:
    """Return the rate and the time left in words; nothing before the first outcome, of which neither can be told.

    The time is rounded up, so it is never 0. ``most`` stands before a time that is a bound.
    """
    rate = meter.rate
    if rate <= 0 or meter.counted < 1:
        return ""
    return f"  {rate_text(rate)}/s" + (f"  {most}{in_clock(left / rate + 1)} left" if left >= 1 else "")
