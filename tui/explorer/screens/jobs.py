"""The screen of the jobs: how far each is, and its errors in full."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static

from core.evaluator.protocol import Cancel, JobView, Pause, Resume
from tui.drawing.event_text import verdict_text
from tui.drawing.mends import explorer_sentence
from tui.drawing.numbers import at_most, clock, whole
from tui.drawing.plain import plain
from tui.explorer.actions import JOBS, bindings
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.state import State

NO_JOB = "No job yet: r on the explorer starts one."
_COLUMNS = ("job", "state", "done", "left", "what", "phase")


class JobsScreen(ExplorerScreen):
    """A line for each job, and below them the details of the job under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("jobs", JOBS)]
    DEFAULT_CSS = """
    JobsScreen {
        DataTable { height: 1fr; min-height: 5; }
        #detail { height: 1fr; border: round $primary; padding: 0 1; }
    }
    """

    def compose(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        with VerticalScroll(id="detail", can_focus=True) as detail:
            detail.border_title = "Details"
            yield Static()
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for name in _COLUMNS:
            table.add_column(name, key=name)
        table.focus()
        self.watch(self.app, "state", self._show)

    def _show(self, state: State) -> None:
        table = self.query_one(DataTable)
        for job in state.jobs:
            cells = dict(zip(_COLUMNS, _cells(job), strict=True))
            if str(job.job) in table.rows:
                for column, cell in cells.items():
                    table.update_cell(str(job.job), column, cell, update_width=True)
            else:
                table.add_row(*cells.values(), key=str(job.job))
        gone = [key for key in table.rows if key.value not in {str(job.job) for job in state.jobs}]
        for key in gone:
            table.remove_row(key)
        self._show_detail()

    @on(DataTable.RowHighlighted)
    def _show_detail(self) -> None:
        job = self._job()
        if job is None:
            gone = self.explorer.state.connection == "lost"
            advice = "The evaluator is gone: ctrl+r starts it again, and its jobs go on." if gone else NO_JOB
            self.query_one(Static).update(Text("\n".join([*self._elsewhere(), advice]), "dim"))
            return
        text = Text(f"{plain(job.title)}\n")
        if job.phase and job.state in {"running", "paused"}:
            text.append(f"now: {plain(job.phase)}\n")
        text.append(f"the same without the explorer: {plain(job.command)}\n", "dim")
        for note in job.notes:
            text.append(f"{plain(verdict_text(note))}\n")
        if job.error:
            error = explorer_sentence(job.error, job.mend, self.explorer.store)
            text.append("\n" + "\n".join(map(plain, error.splitlines())), "red")
        for sentence in self._elsewhere():
            text.append(f"\n{sentence}", "dim")
        self.query_one(Static).update(text)

    def _elsewhere(self) -> list[str]:
        """Return the runs that are none of these jobs."""
        return [
            f"run {writer.run_id}, of another program, writes to this store too: {plain(writer.command)}"
            for writer in self.explorer.state.writers
        ]

    def _job(self) -> JobView | None:
        table, jobs = self.query_one(DataTable), self.explorer.state.jobs
        return jobs[table.cursor_row] if 0 <= table.cursor_row < len(jobs) else None

    def action_pause(self) -> None:
        job = self._job()
        if job is not None and job.state in {"running", "paused"}:
            self.explorer.ask(Resume(job=job.job) if job.state == "paused" else Pause(job=job.job))
        else:
            self.explorer.say("this job is not running")

    def action_cancel(self) -> None:
        job = self._job()
        if job is not None and job.state in {"queued", "running", "paused"}:
            self.explorer.ask(Cancel(job=job.job))
        else:
            self.explorer.say("this job has ended already")

    def action_back(self) -> None:
        self.dismiss()


def _cells(job: JobView) -> tuple[Text, ...]:
    most = at_most(job.open_ended)
    done = f"{whole(job.done)} of {most}{whole(job.total)} ({job.done / job.total:.0%})" if job.total else ""
    running = job.state == "running" and job.seconds_left is not None
    left = f"{most}{clock(job.seconds_left)}" if running else ""
    return tuple(Text(plain(cell)) for cell in (str(job.job), job.state, done, left, job.title, job.phase))
