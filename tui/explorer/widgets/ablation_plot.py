"""Live scatter plot of the ablation: the score without each player, by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from core.coalitions.players import Player
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Charts
from core.values.derived import named
from tui.drawing import colours
from tui.drawing.ablation_canvas import (
    BOTH,
    CHANCE_LINE,
    COST,
    COST_LINE,
    INTACT_LINE,
    AblationCanvas,
    draw_ablation,
    lines_of,
)
from tui.drawing.ablation_dots import Dots, dots_of
from tui.drawing.fitting import CORNERS, fitting
from tui.drawing.kinds import LOOKS, in_order
from tui.drawing.numbers import decimal
from tui.drawing.plain import plain
from tui.drawing.slots import slots_of

_SMALLEST = (16, 3)


class AblationPlot(Widget):
    """A plot in which each kind of player has its mark and colour, such as a red dot for attention.

    The players of a layer stand side by side. Where there are too many for that, each row of the layer grid has a
    strip of its own.
    """

    HELP = (
        "Each mark is one sublayer removed alone: its layer across, the score that is left upwards, with the 95% "
        "interval of its paired drop as a thin line. The upper line is the intact model, the dotted one is chance: "
        "marks near it are cornerstones. Lines and marks are of the same documents, n; a mark of others is as far "
        "below the line as its own drop. Where a run asks which layers cost more than so much, a dashed line is at "
        "that loss, the last line counts what is decided, and ? is a layer that is open, however often one looks. "
        "The arrow below is the cursor of the layer grid; a click on a mark moves it."
    )

    DEFAULT_CSS = """
    AblationPlot {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 70%;
        padding: 0 1;
        text-wrap: nowrap;
    }
    """
    ALLOW_SELECT = False

    @dataclass
    class Picked(Message):
        """The user clicked on the mark of a player."""

        player: int

    def __init__(self) -> None:
        super().__init__()
        self._charts: Charts | None = None
        self._bench_task: BenchTask | None = None
        self._players: Sequence[Player] = ()
        self._slots = slots_of(())
        self._dots: Dots | None = None
        self._sweeping = False
        self._here: int | None = None
        self._drawn: AblationCanvas | None = None
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
        value = None if task is None else task.value
        self._dots = dots_of(charts.ablation, self._slots, value) if charts and charts.ablation else None
        self._drawn = None
        self._label()
        self.refresh()

    def mark(self, player: int) -> None:
        """Mark the player under the cursor."""
        if player == self._here:
            return
        before, self._here = self._drawn, player
        self._drawn = None
        now = self._drawing()
        if before is None or now is None or before.canvas.width != now.canvas.width:
            self.refresh()
            return
        # Only two columns change, and a slow line feels the whole chart.
        columns = {drawn.here[0] for drawn in (before, now) if drawn.here is not None}
        self.refresh(*(Region(column, 0, 1, now.canvas.height) for column in columns))

    def render(self) -> Content:
        if self._dots is None:
            lines = wrap(self._invitation(), max(self.content_size.width, 1))
            return Content.styled("\n".join(lines), colours.QUIET)
        drawn = self._drawing()
        return Content.styled("too small to draw", colours.QUIET) if drawn is None else lines_of(drawn)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        player = None if offset is None or self._drawn is None else self._drawn.near(offset.x, offset.y)
        if player is not None:
            self.post_message(self.Picked(player))

    def on_resize(self) -> None:
        self._label()

    def _drawing(self) -> AblationCanvas | None:
        """Return the chart in the present size; None if there is no room for it."""
        size = (self.content_size.width, self.content_size.height)
        if self._dots is None or size[0] < _SMALLEST[0] or size[1] < _SMALLEST[1]:
            return None
        if self._drawn is None or (self._drawn.canvas.width, self._drawn.canvas.height) != size:
            self._drawn = self._draw(self._dots, size)
        return self._drawn

    def _draw(self, dots: Dots, size: tuple[int, int]) -> AblationCanvas:
        return draw_ablation(dots, self._slots.layers, self._slots.rows, size, self._here)

    def _label(self) -> None:
        task = self._bench_task
        room = self.outer_size.width - CORNERS
        title = "Ablation" if task is None else f"Ablation: {plain(named(task.value))} on {plain(task.shown_name)}"
        self.border_title = fitting(room, title if task is None else f"{title}, one layer removed", title)
        self.border_subtitle = None if self._dots is None else fitting(room, *self._legends(self._dots))

    def _legends(self, dots: Dots) -> list[Content]:
        """Return the legend in several lengths, the longest first."""
        drawn = self._drawing()
        marks = [
            Content.assemble((LOOKS[kind].mark, Style(foreground=colours.hue(kind))), f" {LOOKS[kind].short}  ")
            for kind in in_order(player.kind for player in self._players)
        ]
        if drawn is not None and drawn.shares_cells:
            marks.append(Content.assemble((BOTH, colours.STRONG), " both  "))
        base, n, legends, cost = dots.base, dots.base.documents, list[Content](), dots.cost
        if cost is not None:
            counts = Content.assemble((COST_LINE, COST), f" {cost.counts}  {n}")
            legends += [Content.assemble(*marks, counts), counts]
        for intact, chance, of in (
            (f" {decimal(base.intact)}", f" {decimal(base.chance)}", f"  {n}"),
            (f" {decimal(base.intact)}", "", f"  {n}"),
            ("", "", f"  {n}"),
            ("", "", ""),
        ):
            parts: list[str | Content | tuple[str, Style]] = [*marks]
            parts += [(INTACT_LINE, Style(foreground=colours.INTACT)), f" intact{intact}"]
            if base.chance is not None:
                parts += ["  ", (CHANCE_LINE, Style(foreground=colours.CHANCE)), f" chance{chance}"]
            legends.append(Content.assemble(*parts, of))
        return [*legends, Content.assemble(*marks, n), Content(n)]

    def _invitation(self) -> str:
        if self._bench_task is None:
            return "the score without each layer will be here"
        if self._sweeping:
            return "the sweep has begun: a dot a layer appears with the first documents, and moves with each more"
        return f"nothing of {plain(self._bench_task.shown_name)} is evaluated yet: press r to run the ablation"
