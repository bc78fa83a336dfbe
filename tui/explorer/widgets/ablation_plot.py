"""Live scatter plot of the ablation: the score without each player, by layer."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content
from textual.style import Style
from textual.visual import VisualType
from textual_plotext import PlotextPlot

from core.coalitions.players import Player
from core.evaluator.protocol import BenchTask, Charts
from core.summaries.points import AblationPoint
from core.values.derived import named
from tui.drawing import colours
from tui.drawing.fitting import CORNERS, fitting
from tui.drawing.kinds import LOOKS, in_order
from tui.drawing.numbers import decimal
from tui.drawing.plain import plain
from tui.drawing.slots import slots_of

_INTACT_LINE = "─"
_CHANCE_LINE = "┈"
_SMALLEST = (16, 3)
_TICK_COLUMNS = 5
_STEPS = (1, 2, 5, 10, 20, 50)
_TALL = 12
# Plots with fewer rows leave out the layer numbers.
_LOW = 6
# Columns needed per player; with fewer, whiskers hide the marks of their neighbours.
_ROOM_FOR_INTERVALS = 1.5
_WHISKER = (84, 86, 98)


class AblationPlot(PlotextPlot):
    """A plot in which each kind of player has its mark and colour, such as a red dot for attention.

    The players of a layer stand side by side, so that none hides another.
    """

    HELP = (
        "Each mark is one sublayer removed alone: its layer across, the score that is left upwards. "
        "The upper line is the intact model, the dotted one is chance: marks near it are cornerstones."
    )

    DEFAULT_CSS = """
    AblationPlot {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 70%;
        padding: 0 1;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        # The canvas has no colour, so that the widget's background shows.
        self.theme = "clear"
        self._charts: Charts | None = None
        self._bench_task: BenchTask | None = None
        self._players: Sequence[Player] = ()
        self._slots = slots_of(())
        self._sweeping = False
        self._drawn: Text | None = None
        self._drawn_size = (0, 0)
        self._label()

    def show(
        self, players: Sequence[Player], charts: Charts | None, task: BenchTask | None, *, sweeping: bool = False
    ) -> None:
        """Draw the charts of a task, if they changed. ``sweeping`` means that more results will come."""
        if (charts, task, sweeping) == (self._charts, self._bench_task, self._sweeping):
            return
        if players != self._players:
            self._players, self._slots = players, slots_of(players)
        self._charts, self._bench_task, self._sweeping = charts, task, sweeping
        self._drawn = None
        self._label()
        self.refresh()

    def render(self) -> VisualType:
        size = (self.content_size.width, self.content_size.height)
        points = self._charts.ablation if self._charts else ()
        if not points:
            return Content.styled(self._invitation(), colours.QUIET)
        if size[0] < _SMALLEST[0] or size[1] < _SMALLEST[1]:
            return Content.styled("too small to draw", colours.QUIET)
        if self._drawn is None or size != self._drawn_size:
            self._drawn, self._drawn_size = self._draw(points, *size), size
        return self._drawn

    def _draw(self, points: Sequence[AblationPoint], width: int, height: int) -> Text:
        intact, chance = points[0].intact_acc, points[0].chance
        layers = self._slots.layers
        scores = (intact, *(point.acc for point in points))
        named_scores = all(0 <= score <= 1 for score in scores)
        numbered = height >= _LOW
        lined = numbered
        if named_scores and (height - numbered - lined) % 2 == 0:
            # With an odd number of rows, .5 is in the middle of one. The axis gives up its line for that.
            height, lined = height if lined else height - 1, False
        plot = self.plt
        plot.clear_figure()
        plot.theme("clear")
        plot.plotsize(width, height)
        # plotsize alone has no effect, see PlotextPlot.render.
        plot._set_size(width, height)
        plot.xaxes(lined, False)
        plot.yaxes(True, False)
        left, right = -0.25, layers - 0.25
        across = [left + (right - left) * column / width for column in range(width + 1)]
        if chance is not None:
            plot.scatter(across, [chance] * len(across), marker=_CHANCE_LINE, color=colours.CHANCE.rgb)
        plot.scatter(across, [intact] * len(across), marker=_INTACT_LINE, color=colours.INTACT.rgb)
        if width >= _ROOM_FOR_INTERVALS * len(points) and height >= _TALL:
            self._draw_intervals(points, height)
        # With few columns, marks may share a cell. Then each kind is drawn on top for some layers.
        kinds = in_order(point.kind for point in points)
        for kind in kinds:
            self._draw_marks([point for point in points if point.kind == kind])
        for turn, kind in enumerate(kinds[:-1]):
            self._draw_marks([p for p in points if p.kind == kind and p.layer % len(kinds) == turn])
        plot.xlim(left, right)
        step = next((s for s in _STEPS if width * s >= _TICK_COLUMNS * layers), layers)
        ticks: list[float] = list(range(0, layers, step))
        plot.xticks(ticks if numbered else [], [str(tick) for tick in ticks] if numbered else [])
        if named_scores:
            marks = _marks(height - numbered - lined)
            plot.ylim(0, 1)
            plot.yticks(marks, [f"{decimal(mark, 2) if 0 < mark < 1 else f'{mark:.0f}':>3} " for mark in marks])
        return Text.from_ansi(str(plot.build()))

    def _draw_marks(self, points: Sequence[AblationPoint]) -> None:
        if points:
            look, scores = LOOKS[points[0].kind], [point.acc for point in points]
            self.plt.scatter([self._across(p) for p in points], scores, marker=look.mark, color=look.hue.rgb)

    def _across(self, point: AblationPoint) -> float:
        return point.layer + self._slots.aside(point.player)

    def _draw_intervals(self, points: Sequence[AblationPoint], height: int) -> None:
        across, upwards = [], []
        for point in points:
            low, high = point.intact_acc - point.drop_high, point.intact_acc - point.drop_low
            # This many steps mark every row between the ends, if the axis goes from 0 to 1.
            steps = min(int((high - low) * height) + 2, height)
            across += [self._across(point)] * (steps + 1)
            upwards += [low + (high - low) * step / steps for step in range(steps + 1)]
        # One call draws all whiskers, because each call costs plotext a pass over its canvas.
        self.plt.scatter(across, upwards, marker="│", color=_WHISKER)

    def on_resize(self) -> None:
        self._label()

    def _label(self) -> None:
        charts, task = self._charts, self._bench_task
        room = self.outer_size.width - CORNERS
        title = "Ablation" if task is None else f"Ablation: {plain(named(task.value))} on {plain(task.name)}"
        self.border_title = fitting(room, title if task is None else f"{title}, one layer removed", title)
        if charts is None or not charts.ablation:
            self.border_subtitle = None
            return
        first = charts.ablation[0]
        looks = [LOOKS[kind] for kind in in_order(player.kind for player in self._players)]
        marks = [Content.assemble((look.mark, Style(foreground=look.hue)), f" {look.short}  ") for look in looks]
        variants = []
        for intact, chance in ((f" {decimal(first.intact_acc)}", f" {decimal(first.chance)}"), ("", "")):
            parts: list[str | Content | tuple[str, Style]] = [*marks]
            parts += [(_INTACT_LINE, Style(foreground=colours.INTACT)), f" intact{intact}"]
            if first.chance is not None:
                parts += ["  ", (_CHANCE_LINE, Style(foreground=colours.CHANCE)), f" chance{chance}"]
            variants.append(Content.assemble(*parts))
        self.border_subtitle = fitting(room, *variants, Content.assemble(*marks).rstrip())

    def _invitation(self) -> str:
        if self._bench_task is None:
            return "the score without each layer will be here"
        if self._sweeping:
            return "the sweep has begun: a dot a layer appears with the first documents, and moves with each more"
        return f"nothing of {plain(self._bench_task.name)} is evaluated yet: press r to run the ablation"


def _marks(rows: int) -> list[float]:
    """Return the scores that are named: they are at equal distances, each on a row that is its own."""
    parts = 4 if (rows - 1) % 4 == 0 else 2
    return [part / parts for part in range(parts + 1)]
