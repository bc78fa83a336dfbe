"""The open tasks, a line each: the intact model's score with its interval, and chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.style import Style

from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Charts
from core.summaries.points import CoalitionPoint
from core.values.corpus import lower_is_better
from tui.drawing import colours
from tui.drawing.numbers import NONE, decimal, margin, whole
from tui.drawing.plain import plain
from tui.explorer.state import State
from tui.explorer.widgets.panel import Panel

_SHORTEST_BAR: Final = 8
_LONGEST_NAME: Final = 24
_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class _Line:
    """A task with its intact score and, where it is the shown one, the score of what is removed."""

    task: BenchTask
    intact: CoalitionPoint | None
    now: CoalitionPoint | None
    shown: bool


class TasksPanel(Panel):
    """A bar a task, from 0 to 1, as long as the intact score; ``│`` is chance. A click shows the task."""

    HELP = (
        "The open tasks: what the intact model scores, its 95% interval ├─┤ and chance │. The task with ▸ is shown in "
        "the grid and the charts; ◆ is its score with the removed layers. t shows the next one, a click any."
    )
    ALLOW_SELECT = False

    @dataclass
    class Picked(Message):
        """The user asks for a task, by its key."""

        task: str

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[_Line] = ()
        self.border_title = Content("Tasks")

    def show(self, state: State) -> None:
        """Draw the tasks of ``state``, if they changed."""
        tasks = () if state.bench is None else state.bench.tasks
        score = None if state.shown_score is None else state.shown_score.point
        lines = [
            _Line(task, _intact(state.charts, task), score if task.key == state.task else None, task.key == state.task)
            for task in tasks
        ]
        if lines != self._lines:
            self._lines = lines
            self.redraw(len(lines))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and 0 <= offset.y < len(self._lines):
            self.post_message(self.Picked(self._lines[offset.y].task.key))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._lines), 1)

    def render(self) -> Content:
        width = self.content_size.width
        name = min(max((len(plain(line.task.shown_name)) for line in self._lines), default=0), _LONGEST_NAME)
        return Content("\n").join([_drawn(line, name, width) for line in self._lines])


def _intact(charts: Mapping[str, Charts], task: BenchTask) -> CoalitionPoint | None:
    return charts[task.key].intact if task.key in charts else None


def _drawn(line: _Line, name_width: int, width: int) -> Content:
    name = Content(f"{plain(line.task.shown_name):<{name_width}}").truncate(name_width, ellipsis=True)
    start = Content.assemble(
        ("▸ " if line.shown else "  ", colours.STRONG), name.stylize(colours.STRONG) if line.shown else name
    )
    if line.intact is None:
        return Content.assemble(start, _GAP, ("not evaluated yet", colours.QUIET))
    point = line.intact
    numbers = Content.assemble(
        f"{plain(line.task.value)} ",
        (decimal(point.acc, 2), colours.STRONG),
        (margin(point), colours.QUIET),
        (f"  {_beside(line.task)}", colours.QUIET),
        (f"  n = {whole(point.n)}", colours.QUIET),
    )
    room = width - start.cell_length - numbers.cell_length - 2 * len(_GAP)
    if room < _SHORTEST_BAR or lower_is_better(line.task.value) or not 0 <= point.acc <= 1:
        return Content.assemble(start, _GAP, numbers)
    return Content.assemble(start, _GAP, _bar(line, point, room), _GAP, numbers)


def _beside(task: BenchTask) -> str:
    """Return what helps to read a score: chance, or that lower is better."""
    if lower_is_better(task.value):
        return "lower is better"
    return f"chance {NONE if task.chance is None else decimal(task.chance, 2)}"


def _bar(line: _Line, point: CoalitionPoint, length: int) -> Content:
    """Draw scores from 0 to 1 in so many columns."""

    def column(score: float) -> int:
        return min(max(round(score * (length - 1)), 0), length - 1)

    quiet, full = colours.QUIET, Style(foreground=colours.INTACT)
    end = column(point.acc)
    cells = [("━", full)] * (end + 1) + [(" ", quiet)] * (length - end - 1)
    if point.acc_low is not None and point.acc_high is not None:
        low, high = column(point.acc_low), column(point.acc_high)
        cells[end + 1 : high] = [("─", quiet)] * max(high - end - 1, 0)
        cells[high], cells[low] = ("┤", quiet), ("├", full)
    if line.task.chance is not None:
        cells[column(line.task.chance)] = ("│", Style(foreground=colours.CHANCE))
    if line.now is not None and line.now.removed and line.now.drop is not None:
        # It may be of fewer documents than the bar, so it is as far from the bar's end as its own paired drop.
        cells[column(point.acc - line.now.drop)] = ("◆", colours.WARN)
    return Content.assemble(*cells)
