"""The current job: its progress, its speed and the time left."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from textual.content import Content
from textual.geometry import Size
from textual.style import Style

from core.evaluator.protocol import JobView
from core.records.records import Writer
from tui.drawing import colours
from tui.drawing.fitting import flowed
from tui.drawing.numbers import at_most, clock, whole
from tui.drawing.plain import plain
from tui.explorer.job_text import part_of
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
    failed: JobView | None = None
    narration: str = ""
    unsaved: int = 0
    waiting: int = 0
    notice: str = ""
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
        last = state.jobs[-1] if state.jobs else None
        failed = last if last is not None and last.state == "failed" else None
        waiting = sum(job.state == "queued" and job is not state.current_job for job in state.jobs)
        now = _Shown(
            job=state.current_job,
            failed=failed,
            narration=plain(state.narration),
            unsaved=state.unsaved,
            waiting=waiting,
            notice=plain(state.notice),
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
            Content.assemble(plain(job.title), _state(job), (self._queue(), colours.QUIET)),
            Content.assemble(_bar(part_of(job), max(width - len(percent), 1)), percent),
            *flowed(width, map(Content, _figures(job)), _GAP),
        ]
        return lines + unsaved

    def _one_line(self, width: int) -> Content:
        job = self._shown.job
        if job is None:
            return Content(_GAP).join([*self._idle(width), *map(Content, self._unsaved_text())])
        ends: list[Part] = [f" {part_of(job):.0%}  ", _GAP.join(_figures(job)[::-1]), _state(job)]
        ends += [(f"  {text}", colours.WARN) for text in self._unsaved_text()]
        title, rest = Content(f"{plain(job.title)}  "), Content.assemble(*ends)
        room = width - title.cell_length - rest.cell_length
        return Content.assemble(title, _bar(part_of(job), room) if room >= _NARROWEST_BAR else "", rest)

    def _idle(self, width: int) -> list[Content]:
        if self._shown.narration:
            return [Content(line) for line in wrap(self._shown.narration, max(width, 1))]
        if self._shown.notice:
            return [Content.styled(line, colours.FAULT) for line in wrap(self._shown.notice, max(width, 1))]
        if self._shown.failed is not None:
            failed = Content.styled(f"{plain(self._shown.failed.title)} failed", colours.FAULT)
            return flowed(width, [failed, Content.styled("j shows the error", colours.QUIET)])
        elsewhere = [
            Content.styled(f"run {writer.run_id} writes here too", colours.STRONG) for writer in self._shown.writers
        ]
        reload = [Content.styled("f5 charts what it wrote", colours.QUIET)] if elsewhere else []
        return flowed(width, [*elsewhere, *reload, Content.styled("no job: press r to run one", colours.QUIET)])

    def _unsaved_text(self) -> list[str]:
        return [f"{whole(self._shown.unsaved)} outcomes wait for the store"] if self._shown.unsaved else []

    def _queue(self) -> str:
        return f"{_GAP}+{self._shown.waiting} queued" if self._shown.waiting else ""


def _state(job: JobView) -> tuple[str, Style]:
    return ("", colours.QUIET) if job.state == "running" else (f"{_GAP}{job.state}", colours.WARN)


def _figures(job: JobView) -> list[str]:
    most = at_most(job.open_ended)
    counted = f"{whole(job.done)} of {most}{whole(job.total)}"
    figures = [counted] if job.total else [plain(job.phase) or "getting ready"]
    if job.state == "running" and job.rate > 0:
        figures.append(f"{job.rate:.0f}/s")
    if job.seconds_left is not None and job.state != "queued":
        figures.append(f"{most}{clock(job.seconds_left)} left")
    return figures


def _bar(part: float, width: int) -> Content:
    full = int(part * width)
    half = "╸" if part * width - full >= 0.5 else ""
    return Content.assemble(("━" * full + half, _BAR), ("─" * (width - full - len(half)), colours.QUIET))
