"""The coalition that is switched off: its score, and how far it falls from the intact model's."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from core.players import format_removed
from core.points import CoalitionPoint
from tui.state import State
from tui.text import plain
from tui.widgets import palette
from tui.widgets.numbers import between, decimal, score_interval

Part = str | Content | tuple[str, str | Style]


class CoalitionPanel(Widget):
    """Three lines: which players are removed, the score with its interval, the documents behind it."""

    HELP = (
        "The score with the chosen layers removed, and its paired drop against the intact model on the same documents. "
        "Brackets hold 95% intervals. 'changed' counts documents whose result differs from the intact model's."
    )

    DEFAULT_CSS = """
    CoalitionPanel {
        height: auto;
        min-height: 5;
        border: round $foreground 25%;
        border-title-color: $foreground;
        padding: 0 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 as Textual has it
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Content, ...] = ()
        self.border_title = Content("This coalition")

    def show(self, state: State) -> None:
        """Draw what is known of the coalition; nothing happens when it is drawn already."""
        lines = tuple(Content.assemble(*parts) for parts in self._parts(state))
        if lines != self._lines:
            self._lines = lines
            self.refresh(layout=True)

    def render(self) -> Content:
        return Content("\n").join(self._lines)

    def _parts(self, state: State) -> list[list[Part]]:
        task = state.bench_task
        if task is None:
            return [[("no model yet: press m to choose one", palette.QUIET)]]
        score = plain(task.value)
        chance: list[Part] = [] if task.chance is None else [(f"   chance {decimal(task.chance)}", palette.QUIET)]
        if not state.removed:
            intact = state.shown_charts.intact if state.shown_charts else None
            first: list[Part] = ["R = {}   ", ("the intact model", palette.QUIET)]
            advice = ("space on the layers removes one; it is evaluated at once", palette.QUIET)
            if intact is None:
                return [first, ["not evaluated yet", *chance], [advice]]
            return [first, [*_score(score, intact), f"   n = {intact.n}", *chance], [advice]]
        first = ["R = {", (format_removed(state.removed, state.players), palette.STRONG), "}"]
        scored = state.shown_score
        if scored is None:
            return [first, [("evaluating…", palette.WARN), *chance]]
        point = scored.point
        count = f"n = {point.n}" + ("" if point.n >= scored.wanted else f" of {scored.wanted}")
        documents: list[Part] = [count]
        if not scored.final:
            documents.append((", evaluating…", palette.WARN))
        if point.changed is not None:
            documents.append(f"   {point.changed} changed")
        return [first, [*_score(score, point), *_drop(point)], [*documents, *chance]]


def _score(name: str, point: CoalitionPoint) -> list[Part]:
    interval = score_interval(point)
    bounds = f" [{between(*interval)}]" if interval else ""
    return [f"{name} ", (decimal(point.acc), palette.STRONG), (bounds, palette.QUIET)]


def _drop(point: CoalitionPoint) -> list[Part]:
    if point.drop is None:
        return []
    bounds = f" [{between(point.drop_low, point.drop_high)}]"
    return ["   drop ", (decimal(point.drop), palette.STRONG), (bounds, palette.QUIET)]
