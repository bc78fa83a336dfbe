"""The current coalition: its score, and its drop from the intact model's."""

from __future__ import annotations

from textwrap import wrap

from textual.content import Content
from textual.geometry import Size

from core.summaries.points import CoalitionPoint
from tui.drawing import colours
from tui.drawing.fitting import flowed, listed
from tui.drawing.numbers import between, decimal
from tui.drawing.plain import plain
from tui.explorer.state import State
from tui.explorer.widgets.panel import Panel


class CoalitionPanel(Panel):
    """A panel with three lines: the removed players, the score with its interval, and the documents behind it."""

    HELP = (
        "The score with the chosen layers removed, and its paired drop against the intact model on the same documents. "
        "Brackets hold 95% intervals. 'changed' counts documents whose result differs from the intact model's."
    )

    DEFAULT_CSS = """
    CoalitionPanel { min-height: 5; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._removed: list[str] = []
        self._fields: list[Content] = []
        self._advice = ""
        self.border_title = Content("This coalition")
        self.show(State())

    def show(self, state: State) -> None:
        """Draw the coalition of ``state``, if it changed."""
        before = (self._removed, self._fields, self._advice)
        self._removed = [state.players[number].label for number in state.removed]
        self._fields, self._advice = _fields(state), _advice(state)
        if before != (self._removed, self._fields, self._advice):
            self.redraw(len(self._lines(self.content_size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        width, height = self.content_size
        return Content("\n").join(self._lines(width)[: max(height, 1)])

    def _lines(self, width: int) -> list[Content]:
        lines = []
        if self._fields:
            names = listed(width - len("R = {}"), self._removed)
            intact = "" if self._removed else "   the intact model"
            lines = [Content.assemble("R = {", (names, colours.STRONG), "}", (intact, colours.QUIET))]
            lines += flowed(width, self._fields)
        return lines + [Content.styled(line, colours.QUIET) for line in wrap(self._advice, max(width, 1))]


def _fields(state: State) -> list[Content]:
    task = state.bench_task
    if task is None:
        return []
    chance = [] if task.chance is None else [Content.styled(f"chance {decimal(task.chance)}", colours.QUIET)]
    if not state.removed:
        intact = state.shown_charts.intact if state.shown_charts else None
        if intact is None:
            return [Content("not evaluated yet"), *chance]
        return [_score(plain(task.value), intact), *chance, Content(f"n = {intact.n}")]
    busy = state.connection == "connected" and state.silence is None
    waiting = Content.styled("evaluating…" if busy else "no evaluator to go on", colours.WARN)
    scored = state.shown_score
    if scored is None:
        return [waiting, *chance]
    point = scored.point
    fields = [_score(plain(task.value), point), *chance]
    if point.drop is not None:
        fields.append(_number("drop", point.drop, between(point.drop_low, point.drop_high)))
    if point.changed is not None:
        fields.append(Content(f"{point.changed} changed"))
    fields.append(Content(f"n = {point.n}" if point.n >= scored.wanted else f"n = {point.n} of {scored.wanted}"))
    return fields if scored.final else [*fields, waiting]


def _advice(state: State) -> str:
    if state.bench_task is None:
        return "the score of what you remove will be here"
    return "" if state.removed else "space on a layer removes it"


def _score(name: str, point: CoalitionPoint) -> Content:
    return _number(name, point.acc, between(point.acc_low, point.acc_high) if point.acc_low is not None else "")


def _number(name: str, value: float, interval: str) -> Content:
    bounds = f" [{interval}]" if interval else ""
    return Content.assemble(f"{name} ", (decimal(value), colours.STRONG), (bounds, colours.QUIET))
