"""Live scatter plot of the ablation: the score without each player, by layer."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content
from textual.style import Style
from textual.visual import VisualType
from textual_plotext import PlotextPlot

from core.evaluator.protocol import BenchTask, Charts
from core.summaries.points import AblationPoint
from core.values.derived import named
from tui.drawing import colours
from tui.drawing.fitting import CORNERS, fitting
from tui.drawing.numbers import decimal
from tui.drawing.plain import plain

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
    """A plot in which attention is a red dot and FFN (or MoE) a blue cross.

    They are half a layer apart, so that neither hides the other.
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
        self._sweeping = False
        self._drawn: Text | None = None
        self._drawn_size = (0, 0)
        self._label()

    def show(self, charts: Charts | None, task: BenchTask | None, *, sweeping: bool = False) -> None:
        """Draw the charts of a task, if they changed. ``sweeping`` means that more results will come."""
        if (charts, task, sweeping) == (self._charts, self._bench_task, self._sweeping):
            return
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
        layers = max(point.layer for point in points) + 1
        plot = self.plt
        plot.clear_figure()
        plot.theme("clear")
        plot.plotsize(width, height)
        # plotsize alone has no effect, see PlotextPlot.render.
        plot._set_size(width, height)
        plot.xaxes(height >= _LOW, False)
        plot.yaxes(True, False)
        left, right = -0.25, layers - 0.25
        across = [left + (right - left) * column / width for column in range(width + 1)]
        if chance is not None:
            plot.scatter(across, [chance] * len(across), marker=_CHANCE_LINE, color=colours.CHANCE.rgb)
        plot.scatter(across, [intact] * len(across), marker=_INTACT_LINE, color=colours.INTACT.rgb)
        if width >= _ROOM_FOR_INTERVALS * len(points) and height >= _TALL:
            self._draw_intervals(points, height)
        # With few columns, two marks may share a cell. Then attention is drawn on top for every other layer.
        for attention, turns in ((True, (0, 1)), (False, (0, 1)), (True, (0,))):
            glyph, tint = (colours.ATTN_GLYPH, colours.ATTN) if attention else (colours.FFN_GLYPH, colours.FFN)
            chosen = [p for p in points if (p.kind == "attn") == attention and p.layer % 2 in turns]
            if chosen:
                across = [point.player / 2 for point in chosen]
                plot.scatter(across, [point.acc for point in chosen], marker=glyph, color=tint.rgb)
        plot.xlim(left, right)
        step = next((s for s in _STEPS if width * s >= _TICK_COLUMNS * layers), layers)
        ticks: list[float] = list(range(0, layers, step))
        plot.xticks(ticks if height >= _LOW else [], [str(tick) for tick in ticks] if height >= _LOW else [])
        if all(0 <= score <= 1 for score in (intact, *(point.acc for point in points))):
            marks = [0, 0.25, 0.5, 0.75, 1] if height >= _TALL else [0, 0.5, 1]
            plot.ylim(0, 1)
            plot.yticks(marks, [f"{decimal(mark, 2) if 0 < mark < 1 else mark:>3} " for mark in marks])
        return Text.from_ansi(str(plot.build()))

    def _draw_intervals(self, points: Sequence[AblationPoint], height: int) -> None:
        across, upwards = [], []
        for point in points:
            low, high = point.intact_acc - point.drop_high, point.intact_acc - point.drop_low
            # This many steps mark every row between the ends, if the axis goes from 0 to 1.
            steps = min(int((high - low) * height) + 2, height)
            across += [point.player / 2] * (steps + 1)
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
        ffn = next((point.label.split()[0] for point in charts.ablation if point.kind != "attn"), "FFN")
        attention = ((colours.ATTN_GLYPH, Style(foreground=colours.ATTN)), " Attn  ")
        other = ((colours.FFN_GLYPH, Style(foreground=colours.FFN)), f" {plain(ffn)}  ")
        variants = []
        for intact, chance in ((f" {decimal(first.intact_acc)}", f" {decimal(first.chance)}"), ("", "")):
            parts: list[str | tuple[str, Style]] = [*attention, *other]
            parts += [(_INTACT_LINE, Style(foreground=colours.INTACT)), f" intact{intact}"]
            if first.chance is not None:
                parts += ["  ", (_CHANCE_LINE, Style(foreground=colours.CHANCE)), f" chance{chance}"]
            variants.append(Content.assemble(*parts))
        self.border_subtitle = fitting(room, *variants)

    def _invitation(self) -> str:
        if self._bench_task is None:
            return "the score without each layer will be here"
        if self._sweeping:
            return "the sweep has begun: a dot a layer appears with the first documents, and moves with each more"
        return f"nothing of {plain(self._bench_task.name)} is evaluated yet: press r to run the ablation"
