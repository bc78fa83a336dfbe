"""The first line of the screen: model, task, score, and the progress of the job."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import JobView
from core.values.corpus import lower_is_better
from tui.drawing import colours
from tui.drawing.fitting import middle
from tui.drawing.numbers import at_most, clock, decimal, margin, whole
from tui.drawing.plain import plain
from tui.explorer.state import State

_GAP = "   "
_SHORT_NAME = 14
# A narrower line leaves out more parts, in this order.
_NO_COUNT, _FIRST_WORD, _NO_BRAND, _NO_PLAYERS, _NO_TITLE, _NO_CHANCE, _CUT_NAMES, _STEPS = range(1, 9)


class StatusBar(Widget):
    """A line that leaves out parts when it is narrow; names are shortened last."""

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        padding: 0 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        background: $panel;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._state = State()
        self._drawn = Content("")

    def show(self, state: State) -> None:
        """Draw ``state``, if that changes the line."""
        if state is not self._state:
            self._state = state
            if not self._line().is_same(self._drawn):
                self.refresh()

    def render(self) -> Content:
        self._drawn = self._line()
        return self._drawn

    def _line(self) -> Content:
        width = self.content_size.width
        for left_out in range(_STEPS):
            left, right = self._left(left_out), self._right(left_out)
            if left.cell_length + right.cell_length + len(_GAP) <= width:
                break
        left = left.truncate(max(width - right.cell_length - len(_GAP), 0), ellipsis=True)
        gap = max(width - left.cell_length - right.cell_length, 0)
        return Content.assemble(left, " " * gap, right).truncate(width, ellipsis=True)

    def _left(self, left_out: int) -> Content:
        state = self._state
        brand = ("Cornerstone", Style(bold=True, foreground=colours.INTACT))
        if state.bench is None:
            return Content.assemble(brand)
        names = _SHORT_NAME if left_out >= _CUT_NAMES else None
        parts = [] if left_out >= _NO_BRAND else [Content.assemble(brand)]
        parts.append(Content.styled(_cut(state.bench.model.name, names), colours.STRONG))
        if left_out < _NO_PLAYERS:
            parts.append(Content.styled(f"{len(state.players)} players", colours.QUIET))
        task = state.bench_task
        if task is not None:
            parts.append(Content.assemble(_cut(task.shown_name, names), *self._score(task)))
            if left_out < _NO_COUNT and state.shown_charts is not None and state.shown_charts.intact is not None:
                parts.append(Content.styled(f"n = {whole(state.shown_charts.intact.n)}", colours.QUIET))
            if lower_is_better(task.value) and left_out < _NO_CHANCE:
                parts.append(Content.styled("lower is better", colours.QUIET))
            if task.chance is not None and left_out < _NO_CHANCE:
                parts.append(Content.styled(f"chance {decimal(task.chance, 2)}", colours.QUIET))
        return Content(_GAP).join(parts)

    def _score(self, task: BenchTask) -> list[str | tuple[str, Style]]:
        intact = self._state.shown_charts.intact if self._state.shown_charts else None
        if intact is None:
            return []
        score = (decimal(intact.acc, 2), colours.STRONG)
        return [f" {plain(task.value)} ", score, (margin(intact), colours.QUIET)]

    def _right(self, left_out: int) -> Content:
        state = self._state
        if state.silence is not None:
            why = "stopped" if state.silence.stopped else "busy"
            return Content.styled(f"evaluator {why}: ctrl+r", colours.FAULT)
        if state.connection == "starting":
            return Content.styled("starting the evaluator…", colours.WARN)
        if state.connection == "lost":
            how = "lost" if state.ended_by is None else "ended"
            return Content.styled(f"evaluator {how}: ctrl+r restarts", colours.FAULT)
        job = state.current_job
        if job is None or not job.total:
            # Of the words, what it is about goes first; how far it is stays longest.
            narration = plain(state.narration)
            short = narration.rpartition(", ")[2] if left_out >= _FIRST_WORD else narration
            if narration or job is None:
                return Content.styled(short, colours.WARN)
        title = plain(job.title)
        if left_out >= _FIRST_WORD:
            title = title.split()[0] if title.strip() and left_out < _NO_TITLE else ""
        return Content(" ".join(filter(None, (title, *_progress(job)))))


def _progress(job: JobView) -> list[str]:
    part = f"{job.done / job.total:.0%}" if job.total else ""
    most = at_most(job.open_ended)
    if job.state != "running":
        return [part, job.state]
    return [part or "getting ready", "" if job.seconds_left is None else f"{most}{clock(job.seconds_left)} left"]


def _cut(name: str, length: int | None) -> str:
    return middle(plain(name), length) if length else plain(name)
