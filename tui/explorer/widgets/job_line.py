"""The current job: its progress, its speed and the time left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from textwrap import wrap

from textual.content import Content
from textual.geometry import Size
from textual.style import Style

from core.evaluator.protocol import JobView
from core.records.records import Writer
from tui.drawing import colours
from tui.drawing.event_text import standings_text
from tui.drawing.fitting import flowed
from tui.drawing.numbers import at_most, clock, rate_text, whole
from tui.drawing.plain import counted, plain
from tui.explorer.job_text import end_text, part_of
from tui.explorer.state import State
from tui.explorer.widgets.panel import Panel

Part = str | Content | tuple[str, str | Style]

_BAR = Style(foreground=colours.INTACT)
_NARROWEST_BAR = 8
_GAP = "  "


@dataclass(frozen=True, slots=True)
class _Shown:
    """The part of the state that the line draws."""

    job: JobView | None = None
    last: JobView | None = None
    today: date | None = None
    resuming: int = 0
    narration: str = ""
    unsaved: int = 0
    waiting: int = 0
    notice: str = ""
    cancelling: bool = False
    writers: tuple[Writer, ...] = ()


class JobLine(Panel):
    """Title and state, then a progress bar, then figures; all in one line if the widget has only one."""

    HELP = (
        "The current job. p pauses it or lets it go on; j shows all jobs, where x cancels one and errors are in full."
    )

    DEFAULT_CSS = """
    JobLine { min-height: 5; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown = _Shown()
        self.border_title = Content("Job")

    def show(self, state: State) -> None:
        """Draw the job of ``state``, if it changed."""
        ended = state.ended_jobs if state.current_job is None else ()
        waiting = sum(job.state == "queued" and job is not state.current_job for job in state.jobs)
        now = _Shown(
            job=state.current_job,
            last=ended[0] if ended else None,
            today=datetime.now().astimezone().date() if ended else None,
            resuming=state.resuming,
            narration=plain(state.narration),
            unsaved=state.unsaved,
            waiting=waiting,
            notice=plain(state.notice),
            cancelling=state.current_job is not None and state.current_job.job in state.cancelled,
            writers=state.writers,
        )
        if now != self._shown:
            self._shown = now
            self.redraw(len(self._lines(self.content_size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        width, height = self.content_size
        if height == 1:
            return self._one_line(width)
        return Content("\n").join(self._lines(width)[:height])

    def _lines(self, width: int) -> list[Content]:
        job = self._shown.job
        unsaved = [Content.styled(text, colours.WARN) for text in self._unsaved_text()]
        if job is None:
            return [*self._idle(width), *unsaved]
        percent = f" {part_of(job):4.0%}"
        lines = [
            Content.assemble(plain(job.title), self._state(job), (self._queue(), colours.QUIET)),
            Content.assemble(_bar(part_of(job), max(width - len(percent), 1)), percent),
            *flowed(width, map(Content, _figures(job)), _GAP),
        ]
        return [*lines, *self._elsewhere(width), *unsaved]

    def _one_line(self, width: int) -> Content:
        job = self._shown.job
        if job is None:
            return Content(_GAP).join([*self._idle(width), *map(Content, self._unsaved_text())])
        ends: list[Part] = [f" {part_of(job):.0%}  ", _GAP.join(_figures(job)[::-1]), self._state(job)]
        ends += [(f"  {text}", colours.WARN) for text in self._unsaved_text()]
        title, rest = Content(f"{plain(job.title)}  "), Content.assemble(*ends)
        room = width - title.cell_length - rest.cell_length
        return Content.assemble(title, _bar(part_of(job), room) if room >= _NARROWEST_BAR else "", rest)

    def _idle(self, width: int) -> list[Content]:
        shown = self._shown
        if shown.narration or shown.resuming:
            jobs = counted(shown.resuming, "job")
            said = [f"{jobs} to go on with, once the model is open"] if shown.resuming else []
            return [Content(line) for text in (shown.narration, *said) for line in wrap(text, max(width, 1))]
        if shown.notice:
            return [Content.styled(line, colours.FAULT) for line in wrap(shown.notice, max(width, 1))]
        return [*self._ended(width), *self._elsewhere(width), *self._advice(width)]

    def _ended(self, width: int) -> list[Content]:
        """Return how the last job ended, in at most two lines."""
        job = self._shown.last
        if job is None:
            return []
        look = colours.FAULT if job.state == "failed" else colours.STRONG
        how = [Content(part) for part in end_text(job, datetime.now().astimezone()).split(", ")]
        return flowed(width, [Content.styled(plain(job.title), look), *how], _GAP)

    def _advice(self, width: int) -> list[Content]:
        job = self._shown.last
        if job is None:
            return [Content.styled("no job: press r to run one", colours.QUIET)]
        more = "j shows the error" if job.state == "failed" else "j shows all jobs"
        return flowed(width, [Content.styled(text, colours.QUIET) for text in ("r runs another", more)], _GAP)

    def _elsewhere(self, width: int) -> list[Content]:
        """Return the runs of other programs."""
        runs = [
            Content.styled(f"run {writer.run_id} writes here too", colours.STRONG) for writer in self._shown.writers
        ]
        reload = [Content.styled("f5 charts what it wrote", colours.QUIET)] if runs else []
        return flowed(width, [*runs, *reload], _GAP) if runs else []

    def _unsaved_text(self) -> list[str]:
        return [f"{whole(self._shown.unsaved)} outcomes wait for the store"] if self._shown.unsaved else []

    def _state(self, job: JobView) -> tuple[str, Style]:
        state = "cancelling" if self._shown.cancelling else job.state
        return ("", colours.QUIET) if state == "running" else (f"{_GAP}{state}", colours.WARN)

    def _queue(self) -> str:
        return f"{_GAP}+{self._shown.waiting} queued" if self._shown.waiting else ""


def _figures(job: JobView) -> list[str]:
    most = at_most(job.open_ended)
    counted = f"{whole(job.done)} of {most}{whole(job.total)}"
    figures = [counted] if job.total else [plain(job.phase) or "getting ready"]
    if job.state == "running" and job.rate > 0:
        figures.append(f"{rate_text(job.rate)}/s")
    if job.seconds_left is not None and job.state != "queued":
        figures.append(f"{most}{clock(job.seconds_left)} left")
    return [*figures, *map(standings_text, job.notes[-1:])]


def _bar(part: float, width: int) -> Content:
    full = int(part * width)
    half = "╸" if part * width - full >= 0.5 else ""
    return Content.assemble(("━" * full + half, _BAR), ("─" * (width - full - len(half)), colours.QUIET))
