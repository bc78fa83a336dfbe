"""The screen of the jobs: how far each is, how earlier ones ended, and what the evaluator takes and says."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from core.evaluator.address import log_path
from core.evaluator.protocol import UNFINISHED, Cancel, JobView, Move, Pause, Resume, StartJob
from tui.drawing import colours
from tui.drawing.event_text import verdict_text
from tui.drawing.mends import explorer_sentence
from tui.drawing.numbers import clock
from tui.drawing.plain import plain
from tui.drawing.worker_text import worker_line
from tui.explorer.actions import JOBS, bindings
from tui.explorer.job_end import is_long
from tui.explorer.job_rows import job_listing
from tui.explorer.job_text import end_text, part_of
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.start_job import start_job
from tui.explorer.screens.table_screen import TableScreen
from tui.explorer.widgets.filter_input import FilterInput
from tui.explorer.widgets.gauge_line import GaugeLine
from tui.explorer.widgets.log_panel import LogPanel
from tui.explorer.widgets.result_table import ResultTable
from tui.explorer.widgets.text_pane import TextPane

NO_JOB = "No job yet: r on the explorer starts one."
_TALL = 34


class JobsScreen(TableScreen):
    """A line for each job, below them the details of the job under the cursor, the log and the gauges.

    A low terminal shows the log in place of the details.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("jobs", JOBS)]
    DEFAULT_CSS = """
    JobsScreen {
        ResultTable { height: auto; min-height: 3; max-height: 45%; }
        #filter { width: 40; }
        #count { width: 1fr; text-align: right; }
        #detail { height: 1fr; border: round $primary; padding: 0 1; &:focus { border: heavy $accent; } }
        LogPanel { display: none; }
        &.-log LogPanel { display: block; }
        &.-log.-low #detail { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._told = Text()

    def body(self) -> ComposeResult:
        with Horizontal(id="above"):
            yield FilterInput(id="filter", hint="/ filter, or state = failed")
            yield Static(id="count", markup=False)
        yield ResultTable()
        detail = TextPane(id="detail")
        detail.border_title = "Details"
        yield detail
        yield LogPanel(log_path(self.explorer.store))
        yield GaugeLine(lambda: self.explorer.state.pid)

    def on_mount(self) -> None:
        self.watch(self.app, "state", self.redraw)

    def on_resize(self, event: events.Resize) -> None:
        low = event.size.height < _TALL
        self.set_class(low, "-low")
        if not low:
            self.add_class("-log")
        self.redraw()

    def redraw(self) -> None:
        """Draw the jobs as they are now. The cursor stays on its job."""
        now = datetime.now().astimezone()
        found = job_listing(self.explorer.state, self.size.width, now)
        self.show_rows("jobs", found, same=lambda one, other: bool(one.job == other.job))
        self._show_detail()

    @property
    def job(self) -> JobView | None:
        """The job under the cursor."""
        return None if self.shown.line is None else self.shown.line.row

    @on(ResultTable.Moved)
    def _show_detail(self) -> None:
        text = self._nothing() if self.job is None else self._about(self.job)
        if text != self._told:
            self._told = text
            self.query_one("#detail", TextPane).draw(text)

    def _nothing(self) -> Text:
        gone = self.explorer.state.connection == "lost"
        advice = "The evaluator is gone: ctrl+r starts it again, and its jobs go on." if gone else NO_JOB
        return Text("\n".join([*self._elsewhere(), advice]), "dim")

    def _about(self, job: JobView) -> Text:
        text = Text(f"{plain(job.title)}\n")
        if job.phase and job.state in {"running", "paused"}:
            text.append(f"now: {plain(job.phase)}\n")
        if job.state not in UNFINISHED:
            text.append(f"{end_text(job, datetime.now().astimezone())}\n")
        if job.state == "interrupted":
            text.append("Its evaluator ended before it did. What it recorded is stored; a starts it again.\n")
        for worker in self.explorer.state.workers_of(job):
            text.append(f"{worker_line(worker)}\n")
        text.append(f"the same without the explorer: {plain(job.command)}\n", "dim")
        for note in job.notes:
            text.append(f"{plain(verdict_text(note))}\n")
        if job.error:
            error = explorer_sentence(job.error, job.mend, self.explorer.store)
            text.append("\n" + "\n".join(map(plain, error.splitlines())), colours.WRONG.hex)
        for sentence in self._elsewhere():
            text.append(f"\n{sentence}", "dim")
        return text

    def _elsewhere(self) -> list[str]:
        """Return the runs that are none of these jobs."""
        return [
            f"run {writer.run_id}, of another program, writes to this store too: {plain(writer.command)}"
            for writer in self.explorer.state.writers
        ]

    def action_pause(self) -> None:
        job = self.job
        if job is not None and job.state in {"running", "paused"}:
            self.explorer.ask(Resume(job=job.job) if job.state == "paused" else Pause(job=job.job))
        else:
            self.explorer.say("this job is not running")

    def action_cancel(self) -> None:
        job = self.job
        if job is None or job.state not in UNFINISHED:
            self.explorer.say("this job has ended already")
        elif not is_long(job):
            self.explorer.ask(Cancel(job=job.job))
        else:
            question = f"{plain(job.title)} is at {part_of(job):.0%} after {clock(job.elapsed)}. End it?"
            dialog = ConfirmDialog(f"{question} What it has recorded stays.", yes="end it", no="let it go on")
            self.app.push_screen(dialog, lambda yes: self._cancel(job) if yes else None)

    def _cancel(self, job: JobView) -> None:
        self.explorer.ask(Cancel(job=job.job))

    def action_earlier(self) -> None:
        self._move(-1)

    def action_later(self) -> None:
        self._move(1)

    def _move(self, by: Literal[-1, 1]) -> None:
        job = self.job
        if job is not None and job.state == "queued":
            self.explorer.ask(Move(job=job.job, by=by))
        else:
            self.explorer.say("only a job that waits can be moved")

    def action_again(self) -> None:
        job = self.job
        if job is None or job.state in UNFINISHED:
            self.explorer.say("this job has not ended")
        else:
            start_job(self, StartJob(config=job.config, command=job.command, special=job.special))

    def action_log(self) -> None:
        self.toggle_class("-log")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the job where it is while a filter is written."""
        return not (action in {"earlier", "later"} and isinstance(self.focused, FilterInput))

    def command(self) -> str:
        return "" if self.job is None else self.job.command
