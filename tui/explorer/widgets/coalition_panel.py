"""The current coalition: its score, and its drop from the intact model's."""

from __future__ import annotations

from textwrap import wrap

from textual.content import Content
from textual.geometry import Size

from core.evaluator.protocol import Scored
from core.summaries.points import CoalitionPoint
from core.values.corpus import lower_is_better
from tui.drawing import colours
from tui.drawing.fitting import flowed, listed
from tui.drawing.numbers import between, decimal, whole
from tui.drawing.plain import plain
from tui.explorer.state import State
from tui.explorer.widgets.panel import Panel

_CHANCE = "chance "
_KEYS = "enter documents  u undo"


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
        """Draw all, or what matters most where the widget is low: first chance goes, then the keys, then the set."""
        width, height = self.content_size
        lines = self._lines(width)
        for without in ((_CHANCE,), (_CHANCE, _KEYS)):
            if len(lines) > height:
                lines = self._lines(width, without=without)
        if len(lines) > height and self._fields:
            lines = lines[1:]
        return Content("\n").join(lines[: max(height, 1)])

    def _lines(self, width: int, *, without: tuple[str, ...] = ()) -> list[Content]:
        lines = []
        if self._fields:
            names = listed(width - len("R = {}"), self._removed)
            intact = "" if self._removed else "   the intact model"
            lines = [Content.assemble("R = {", (names, colours.STRONG), "}", (intact, colours.QUIET))]
            lines += flowed(width, (field for field in self._fields if not field.plain.startswith(without)))
        return lines + [Content.styled(line, colours.QUIET) for line in wrap(self._advice, max(width, 1))]


def _fields(state: State) -> list[Content]:
    task = state.bench_task
    if task is None:
        return []
    chance = [] if task.chance is None else [Content.styled(f"{_CHANCE}{decimal(task.chance)}", colours.QUIET)]
    if lower_is_better(task.value):
        chance = [Content.styled("lower is better", colours.QUIET)]
    if not state.removed:
        intact = state.shown_charts.intact if state.shown_charts else None
        first = state.shown_score
        if intact is None and first is not None:
            return [
                _score(plain(task.value), first.point),
                *chance,
                Content(_counts(first)),
            ]
        if intact is None:
            return [Content("not evaluated yet"), *chance]
        return [_score(plain(task.value), intact), *chance, Content(f"n = {whole(intact.n)}")]
    waiting = Content.styled(_waits(state), colours.WARN)
    scored = state.shown_score
    if scored is None:
        return [waiting, *chance]
    point = scored.point
    fields = [_score(plain(task.value), point), *chance]
    if point.drop is not None:
        fields.append(_number("drop", point.drop, between(point.drop_low, point.drop_high)))
    if point.changed is not None:
        fields.append(Content(f"{point.changed} changed"))
    fields.append(Content(_counts(scored)))
    return [*fields, Content.styled(_KEYS, colours.QUIET) if scored.final else waiting]


def _counts(scored: Scored) -> str:
    """Return how many documents a score is of: ``n = 32``, or ``n = 16 of 32`` while some are to come."""
    n = f"n = {whole(scored.point.n)}"
    return n if scored.point.n >= scored.wanted else f"{n} of {whole(scored.wanted)}"


def _waits(state: State) -> str:
    """Return why a coalition has no final score yet."""
    if state.connection == "lost" or state.silence is not None:
        return "no evaluator to go on"
    if state.refused:
        return "not evaluated"
    return "waits for the model" if state.stored or state.connection == "starting" else "evaluating…"


def _advice(state: State) -> str:
    if state.bench_task is None:
        return "the score of what you remove will be here"
    if state.removed:
        return plain(state.refused)
    charts = state.shown_charts
    if charts is not None and not charts.ablation and not state.unfinished:
        return "space removes a layer, w lets the model speak without it, r measures every layer"
    return "space on a layer removes it, s a set of layers"


def _score(name: str, point: CoalitionPoint) -> Content:
    return _number(name, point.acc, between(point.acc_low, point.acc_high) if point.acc_low is not None else "")


def _number(name: str, value: float, interval: str) -> Content:
    bounds = f" [{interval}]" if interval else ""
    return Content.assemble(f"{name} ", (decimal(value), colours.STRONG), (bounds, colours.QUIET))
