"""The layer grid: a cell per player, coloured by what its removal costs, and crossed out while it is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.players import Player, Removed, removed_set
from core.evaluator.protocol import Charts
from core.summaries.points import AblationPoint, ShapleyPoint
from tui.drawing import colours
from tui.drawing.fitting import fitting
from tui.drawing.grid_layout import LABEL, GridLayout, grid_layout
from tui.drawing.grid_scale import legend, room_of
from tui.drawing.numbers import between, decimal, percent, percent_range
from tui.explorer.widgets.panel import Panel

_SELECTED = Style(background=Color(72, 74, 88))


class LayerGrid(Panel, can_focus=True):
    """A grid of players that draws what it is given. Only the cursor and the selection are its own state."""

    HELP = (
        "Every cell is a sublayer: attention above, FFN (or MoE) below, one column a layer. "
        "The fuller a cell, the more the score drops when it alone is removed. "
        "Arrows, home and end move; shift with them selects a block; space (or a click) removes what is selected, "
        "or puts it back. Removed cells are crossed out."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{shift}{key}", f"{action}({step}, {bool(shift)})", help_text, show=False)
        for shift in ("", "shift+")
        for key, action, step, help_text in (
            ("left", "layer", -1, "layer before"),
            ("right", "layer", 1, "next layer"),
            ("up", "row", -1, "row above"),
            ("down", "row", 1, "row below"),
            ("home", "edge", 0, "first layer"),
            ("end", "edge", -1, "last layer"),
        )
    ]

    cursor = reactive(0)
    fixed_end: reactive[int | None] = reactive(None)

    @dataclass
    class Changed(Message):
        """The user asks for exactly the players ``removed`` to be removed."""

        removed: Removed

    def __init__(self) -> None:
        super().__init__()
        self._players: Sequence[Player] = ()
        self._removed: Removed = ()
        self._charts: Charts | None = None
        self._ablation: dict[int, AblationPoint] = {}
        self._shares: dict[int, ShapleyPoint] = {}
        self.border_title = Content("Layers")

    def show(self, players: Sequence[Player], removed: Removed, charts: Charts | None) -> None:
        """Draw the players, the coalition and the charts, if they changed."""
        if tuple(players) == self._players and removed == self._removed and charts is self._charts:
            return
        resized = len(players) != len(self._players)
        self._players, self._removed = tuple(players), removed
        if charts is not self._charts:
            self._charts = charts
            self._ablation = {point.player: point for point in charts.ablation} if charts else {}
            shapley = charts.shapley if charts else ()
            self._shares = {point.player: point for point in shapley if point.players == SUBLAYERS}
        if resized:
            self.fixed_end = None
            self.cursor = min(self.cursor, max(len(players) - 1, 0))
        self._label()
        self.refresh(layout=resized)

    @property
    def selection(self) -> Removed:
        """Return the selected players: the block between anchor and cursor, or the player under the cursor."""
        if not self._players:
            return ()
        anchor = self.cursor if self.fixed_end is None else self.fixed_end
        first, last = sorted((anchor // 2, self.cursor // 2))
        rows = {anchor % 2, self.cursor % 2}
        return removed_set(2 * layer + row for layer in range(first, last + 1) for row in rows)

    def toggle_here(self) -> None:
        """Remove the selected players, or put them back if all of them are removed."""
        chosen = set(self.selection)
        if not chosen:
            return
        kept = set(self._removed) - chosen
        # Keep the new coalition at once, because the next key may come before the screen's answer.
        self._removed = removed_set(kept if chosen <= set(self._removed) else kept | chosen)
        self.refresh()
        self.post_message(self.Changed(self._removed))

    def action_layer(self, step: int, selecting: bool) -> None:
        self._move(self.cursor + 2 * step, selecting)

    def action_row(self, step: int, selecting: bool) -> None:
        # A block covers whole layers and rows, so selecting never leaves the band.
        target = self.cursor // 2 * 2 + (step > 0) if selecting else self._layout.vertical(self.cursor, step)
        self._move(target, selecting)

    def action_edge(self, step: int, selecting: bool) -> None:
        self._move((len(self._players) - 2 if step else 0) + self.cursor % 2, selecting)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        player = None if offset is None or not self._players else self._layout.player_at(offset.x, offset.y)
        if player is None:
            return
        self._move(player, event.shift)
        if not event.shift:
            self.toggle_here()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return grid_layout(len(self._players) // 2, width).height + 1 if self._players else 2

    def render(self) -> Content:
        if not self._players:
            return Content.styled("the layers appear when a model is open; m chooses another", colours.QUIET)
        layout = self._layout
        selection = self.selection
        lines = []
        for band in range(layout.bands):
            lines.append(self._numbers(layout, band))
            lines += [self._row(layout, band, row, selection) for row in (0, 1)]
        return Content("\n").join([*lines, self._detail(selection)])

    @property
    def _layout(self) -> GridLayout:
        return grid_layout(max(len(self._players) // 2, 1), self.content_size.width)

    def _move(self, player: int, selecting: bool) -> None:
        if not selecting:
            self.fixed_end = None
        elif self.fixed_end is None:
            self.fixed_end = self.cursor
        if 0 <= player < len(self._players):
            self.cursor = player

    def _label(self) -> None:
        self.border_subtitle = legend(room_of(self._ablation.values()), len(self._ablation), len(self._players))

    def _numbers(self, layout: GridLayout, band: int) -> Content:
        every = 5 if layout.cell > 1 else 10
        text = " " * LABEL
        for layer in layout.band_layers(band):
            x, _ = layout.place(2 * layer)
            if layer % every == 0 and x >= len(text):
                text = f"{text:<{x}}{layer}"
        return Content.styled(text, colours.QUIET)

    def _row(self, layout: GridLayout, band: int, row: int, selection: Removed) -> Content:
        room = room_of(self._ablation.values())
        players = [self._players[2 * layer + row] for layer in layout.band_layers(band)]
        name = next((p.label for p in players if p.kind != "moe"), players[0].label).split()[0]
        parts: list[tuple[str, Style]] = [(f"{name:<{LABEL}}"[: LABEL - (layout.cell > 1)], colours.STRONG)]
        bracket = colours.STRONG if self.has_focus else colours.QUIET
        gap: tuple[str, Style] = (" ", Style())
        for player in players:
            here = player.number == self.cursor
            chosen = _SELECTED if len(selection) > 1 and player.number in selection else Style()
            if layout.cell > 1:
                parts.append(("[", bracket) if here else gap)
                gap = ("]", bracket) if here else (" ", chosen)
            text, style = self._cell(player, room, max(layout.cell - 1, 1))
            if layout.cell == 1 and here:
                # A full glyph would hide the background that marks the cursor. The numbers are shown below the grid.
                text, style = text if text == colours.REMOVED_GLYPH else " ", colours.CURSOR
            parts.append((text, chosen + style))
        return Content.assemble(*parts, gap if gap[0] == "]" else "")

    def _cell(self, player: Player, room: float, width: int) -> tuple[str, Style]:
        point = self._ablation.get(player.number)
        if player.number in self._removed:
            return f"{colours.REMOVED_GLYPH:^{width}}", colours.REMOVED
        if point is None:
            return f"{colours.UNKNOWN_GLYPH:^{width}}", colours.QUIET
        part = point.drop / room
        return colours.weight(part) * width, colours.importance(player.kind, part)

    def _detail(self, selection: Removed) -> Content:
        if len(selection) > 1:
            first, last = self._players[selection[0]], self._players[selection[-1]]
            what = "puts them back" if set(selection) <= set(self._removed) else "removes them"
            return Content(f"{len(selection)} selected, {first.label} to {last.label}: space {what}")
        player = self._players[self.cursor]
        name = (player.label, Style(foreground=colours.hue(player.kind), bold=True))
        state = (" removed" if player.number in self._removed else "", colours.WARN)
        point, share = self._ablation.get(player.number), self._shares.get(player.number)
        alone, of_all = "  not evaluated alone yet", ""
        if point is not None:
            drop = f"drop {decimal(point.drop)} [{between(point.drop_low, point.drop_high)}]"
            alone = f"  without it {decimal(point.acc)}, {drop}"
        if share is not None:
            of_all = f"  share {percent(share.share)} [{percent_range(share.share_low, share.share_high)}]"
        # If space is short, the numbers stay: the cell already shows that the player is removed.
        full = Content.assemble(name, state, alone, of_all)
        return fitting(self.content_size.width, full, Content.assemble(name, alone, of_all))
