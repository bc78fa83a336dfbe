"""Shapley shares as bars with their intervals, the largest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.color import Color
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.coalitions.grouping import SUBLAYERS, grouping
from core.coalitions.players import Player, Removed
from core.evaluator.protocol import Charts
from core.statistics.verdicts import TOP
from core.summaries.points import ShapleyPoint
from tui.drawing import colours
from tui.drawing.fitting import CORNERS, fitting
from tui.drawing.numbers import in_range, percent, percent_range
from tui.drawing.plain import plain

_GAP = 2
_HERE = "▸"
_MARKS: Final = {"in": "✓", "out": "×", "open": "?"}
"""What the documents so far say of a unit's place among the largest."""
_LEAST_BAR = 10


class ShapleyBars(ScrollView, can_focus=True):
    """A line per player, or per group of players: a bar as long as the share, with the interval across its end."""

    HELP = (
        "A bar is a player's share of what all players contribute (Shapley values, clipped at 0); "
        "┣━╋ ends at it, and ├──┤ is its 95% interval over documents. The three largest are named in the title. "
        "✓ is surely one of the three, × surely none, ? is open, at 95% however often one looks. "
        "Arrows, page up and page down, home and end scroll. ▸ is the cursor of the layer grid; a click moves it."
    )

    DEFAULT_CSS = """
    ShapleyBars {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 70%;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $accent; }
    }
    """
    ALLOW_SELECT = False

    @dataclass
    class Picked(Message):
        """The user clicked on the bar of a player, or of a group with this one first."""

        player: int

    def __init__(self) -> None:
        super().__init__()
        self._charts: Charts | None = None
        self._players: Sequence[Player] = ()
        self._sweeping = False
        self._soon = ""
        self._points: Sequence[ShapleyPoint] = ()
        self._members: Sequence[Removed] = ()
        """The players of each point's unit."""
        self._here: int | None = None
        self._longest = 1.0
        self._label_width = self._interval_width = 0
        self._marked = False
        self._label()

    def show(
        self, charts: Charts | None, players: Sequence[Player] = (), *, sweeping: bool = False, soon: str = ""
    ) -> None:
        """Draw the shares of the charts, if they changed.

        Args:
            charts: the charts of the shown task.
            players: all players of the model.
            sweeping: more results will come.
            soon: when they come, in words, if that is known.
        """
        if (charts, players, sweeping, soon) == (self._charts, self._players, self._sweeping, self._soon):
            return
        same_text = (charts, players, sweeping) == (self._charts, self._players, self._sweeping) and self._points
        self._charts, self._players, self._sweeping, self._soon = charts, players, sweeping, soon
        if same_text:
            return
        shares = charts.shapley if charts else ()
        # Shares are None if no value is positive.
        self._points = sorted((p for p in shares if p.share is not None), key=lambda point: point.rank)
        self._members = [_members(point, players) for point in self._points]
        self._marked = any(point.verdict in {"in", "out"} for point in self._points)
        self._longest = max((max(p.share or 0.0, p.share_high or 0.0) for p in self._points), default=1.0) or 1.0
        self._label_width = max((len(p.label) for p in self._points), default=0)
        self._interval_width = max((len(percent_range(p.share_low, p.share_high)) + 3 for p in self._points), default=0)
        self.virtual_size = Size(0, len(self._points))
        self._label()
        self.refresh()

    def mark(self, player: int) -> None:
        """Mark the bar of the player under the cursor, or of its group, and scroll to it."""
        before, self._here = self._row, player
        now, height = self._row, self.scrollable_content_region.height
        if before == now:
            return
        top = self.scroll_offset.y
        if now is not None and not top <= now < top + height:
            self.scroll_to(y=max(now - height // 2, 0), animate=False)
        for row in (before, now):
            if row is not None:
                self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        row = -1 if offset is None else offset.y + self.scroll_offset.y
        if 0 <= row < len(self._points) and self._members[row]:
            self.post_message(self.Picked(self._members[row][0]))

    @property
    def _row(self) -> int | None:
        """Return the line of the marked player."""
        return next((row for row, members in enumerate(self._members) if self._here in members), None)

    def on_resize(self) -> None:
        self._label()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        at = y + self.scroll_offset.y
        if self._points:
            segments = self._bar(self._points[at], width, here=at == self._row) if at < len(self._points) else []
        else:
            lines = wrap(self._invitation(), max(width, 1))
            segments = [Segment(lines[at], colours.QUIET.rich_style)] if at < len(lines) else []
        return Strip(segments).apply_style(self.rich_style).crop_extend(0, width, self.rich_style)

    def _bar(self, point: ShapleyPoint, width: int, *, here: bool = False) -> list[Segment]:
        bold = RichStyle(bold=point.rank <= TOP)
        label = f"{plain(point.label):<{self._label_width}}"
        share = f"{percent(point.share):>6}"
        interval = f" [{percent_range(point.share_low, point.share_high)}]"
        interval = f"{interval:<{self._interval_width}}"
        verdict = _MARKS.get(point.verdict or "", " ") if self._marked else ""
        mark = f"{_HERE if here else ' '}{verdict} "
        length = width - len(label) - len(share) - len(interval) - len(mark) - _GAP
        if length < _LEAST_BAR:
            length, interval = length + len(interval), ""
        return [
            Segment(label, RichStyle(bold=bold.bold, reverse=here)),
            Segment(mark),
            *_whiskered(point, max(length, 0), self._longest, _hue(point)),
            Segment(" " * _GAP),
            Segment(share, bold),
            Segment(interval, colours.QUIET.rich_style),
        ]

    def _label(self) -> None:
        self.border_title, self.border_subtitle = Content("Shapley share"), None
        if not self._points or self._charts is None:
            return
        estimator, n = plain(self._charts.estimator), f"n = {in_range(point.n for point in self._points)}"
        how = "".join(f", {plain(words)}" for words in self._charts.settings)
        players = self._points[0].players
        of = "" if players == SUBLAYERS else f" of {plain(players)}"
        room = self.outer_size.width - CORNERS
        top = self._points[:TOP]
        exact = ", ".join(f"{plain(point.label)} {percent(point.share)}" for point in top)
        rounded = ", ".join(f"{plain(point.label)} {point.share:.0%}" for point in top)
        self.border_title = fitting(room, f"Shapley share: {exact}", exact, rounded)
        self.border_subtitle = fitting(room, f"{estimator}{of}{how}, {n}", f"{estimator}{of}, {n}")

    def _invitation(self) -> str:
        if self._charts is None or not self._charts.shapley:
            if self._sweeping:
                return self._soon or "shares show once a document has every coalition they need"
            return "no Shapley values yet: press r to run the windows; they show once every window has a document"
        return "no player has a positive value, so there are no shares"


def _members(point: ShapleyPoint, players: Sequence[Player]) -> Removed:
    """Return the players of a point's unit."""
    if point.players == SUBLAYERS:
        return (point.player,)
    return grouping(point.players, players).units[point.player].members if players else ()


def _hue(point: ShapleyPoint) -> Color:
    """Return the colour of a kind of player, or a neutral one for groups that are no kinds."""
    if point.kind is None or point.players not in {SUBLAYERS, "kinds"}:
        return colours.INTACT
    return colours.hue(point.kind)


def _whiskered(point: ShapleyPoint, length: int, longest: float, hue: Color) -> list[Segment]:
    """Draw a heavy line to the share in ``length`` columns, with the interval marked on it: ``━━━┣━━╋──┤``."""

    def column(value: float | None) -> int:
        return round((value or 0.0) / longest * (length - 1))

    low, middle, high = column(point.share_low), column(point.share), column(point.share_high)
    line = ["━"] * (middle + 1) + ["─"] * (high - middle) + [" "] * (length - max(high, middle) - 1)
    for at, mark in ((high, "┤"), (low, "┣"), (middle, "╋")):
        if low < high and line:
            line[at] = mark
    solid = "".join(line[: middle + 1])
    return [
        Segment(solid, RichStyle(color=hue.rich_color)),
        Segment("".join(line[middle + 1 :]), colours.QUIET.rich_style),
    ]
