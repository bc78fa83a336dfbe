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
from core.coalitions.players import Player, PlayerKind, Removed, removed_set
from core.evaluator.protocol import Charts
from core.summaries.points import AblationPoint, ShapleyPoint
from tui.drawing import colours
from tui.drawing.fitting import bands_that_fit, fitting
from tui.drawing.grid_layout import LABEL, GridLayout, grid_layout
from tui.drawing.grid_scale import kinds_key, legend, room_of
from tui.drawing.kinds import LOOKS, in_order, row_name
from tui.drawing.numbers import between, decimal, percent, percent_range
from tui.drawing.slots import slots_of
from tui.explorer.widgets.panel import Panel

# Lines of the screen that everything around the cells needs.
_LINES_OF_OTHERS = 18
_SELECTED = Style(background=Color(72, 74, 88))


class LayerGrid(Panel, can_focus=True):
    """A grid of players that draws what it is given. Only the cursor and the selection are its own state."""

    HELP = (
        "Every cell is a sublayer, in the order in which they run: one column a layer, what mixes tokens (attention, "
        "SSM and the like) above the FFN or MoE that follows it. Single experts take several columns a layer. "
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
        self._slots = slots_of(())
        # Whether a row has players of several kinds, so that its name does not tell them.
        self._mixed = False
        self._removed: Removed = ()
        self._charts: Charts | None = None
        self._ablation: dict[int, AblationPoint] = {}
        self._shares: dict[int, ShapleyPoint] = {}
        self.border_title = Content("Layers")

    def show(self, players: Sequence[Player], removed: Removed, charts: Charts | None) -> None:
        """Draw the players, the coalition and the charts, if they changed."""
        if tuple(players) == self._players and removed == self._removed and charts is self._charts:
            return
        resized = tuple(players) != self._players
        if resized:
            self._players, self._slots = tuple(players), slots_of(players)
            rows = {(self._slots.cells[player.number][1], player.kind) for player in players}
            self._mixed = len(rows) > self._slots.rows
        self._removed = removed
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
        ends = [self._slots.cells[self.cursor if self.fixed_end is None else self.fixed_end]]
        ends.append(self._slots.cells[self.cursor])
        (left, right), (top, bottom) = (sorted(each) for each in zip(*ends, strict=True))
        within = ((number, *cell) for number, cell in enumerate(self._slots.cells))
        return tuple(number for number, column, row in within if left <= column <= right and top <= row <= bottom)

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
        if self._players:
            self._move(self._slots.beside(self.cursor, step), selecting)

    def action_row(self, step: int, selecting: bool) -> None:
        if not self._players:
            return
        cell = self._slots.cells[self.cursor]
        lines = self._layout.lines(cell, step)
        if selecting:
            # A block covers whole columns and rows, so it never leaves the band. It grows where one lacks the row.
            anchor, _ = self._slots.cells[self.cursor if self.fixed_end is None else self.fixed_end]
            lines = [(row, columns, column) for row, columns, column in lines if cell[0] in columns]
            onwards = [
                (row, there[there.index(at) :] if at >= anchor else there[: there.index(at) + 1], at)
                for row, there, at in lines
            ]
            lines = onwards + lines
        found = (self._slots.nearest(*line) for line in lines)
        self._move(next((player for player in found if player is not None), self.cursor), selecting)

    def action_edge(self, step: int, selecting: bool) -> None:
        if self._players:
            _, row = self._slots.cells[self.cursor]
            every = range(self._slots.columns)
            self._move(self._slots.nearest(row, every, every[step]) or 0, selecting)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        layout, above = self._layout, self._first_band * self._layout.lines_a_band
        if offset is None or not self._players or offset.y >= self._bands_shown * layout.lines_a_band:
            return
        cell = layout.cell_at(offset.x, offset.y + above)
        player = None if cell is None else self._slots.players.get(cell)
        if player is None:
            return
        self._move(player, event.shift)
        if not event.shift:
            self.toggle_here()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if not self._players:
            return 2
        layout = grid_layout(self._slots.columns, self._slots.rows, width, self._slots.step)
        most = max((viewport.height - _LINES_OF_OTHERS) // layout.lines_a_band, 1)
        return min(layout.bands, most) * layout.lines_a_band + 1

    def render(self) -> Content:
        if not self._players:
            return Content.styled("the layers appear when a model is open; m chooses another", colours.QUIET)
        layout = self._layout
        selection = self.selection
        lines = []
        for band in range(self._first_band, self._first_band + self._bands_shown):
            lines.append(self._numbers(layout, band))
            lines += [self._row(layout, band, row, selection) for row in range(layout.rows)]
        return Content("\n").join([*lines, self._detail(selection)])

    @property
    def _layout(self) -> GridLayout:
        return grid_layout(
            max(self._slots.columns, 1), max(self._slots.rows, 1), self.content_size.width, self._slots.step
        )

    @property
    def _bands_shown(self) -> int:
        layout = self._layout
        return bands_that_fit(layout.bands, layout.lines_a_band, self.content_size.height - 1)

    @property
    def _first_band(self) -> int:
        """Return the first visible band, so that the cursor's band is visible."""
        column = self._slots.cells[self.cursor][0] if self._players else 0
        return max(column // self._layout.per_band - self._bands_shown + 1, 0)

    def _move(self, player: int, selecting: bool) -> None:
        if not selecting:
            self.fixed_end = None
        elif self.fixed_end is None:
            self.fixed_end = self.cursor
        if 0 <= player < len(self._players):
            self.cursor = player

    def _label(self) -> None:
        kinds = in_order(player.kind for player in self._players)
        unknown = "".join(map(self._unknown, kinds)) if self._mixed else colours.UNKNOWN_GLYPH
        room = room_of(self._ablation.values())
        self.border_subtitle = legend(room, len(self._ablation), len(self._players), kinds, unknown)
        self.border_title = Content.assemble("Layers: ", kinds_key(kinds)) if self._mixed else Content("Layers")

    def _unknown(self, kind: PlayerKind) -> str:
        """Return the glyph of a player without a drop."""
        return LOOKS[kind].mark if self._mixed else colours.UNKNOWN_GLYPH

    def _numbers(self, layout: GridLayout, band: int) -> Content:
        every = 5 if layout.cell > 1 else 10
        first, last = self._first_band, self._first_band + self._bands_shown - 1
        hidden = "↑" * (band == first > 0) + "↓" * (band == last < layout.bands - 1)
        text = f"{hidden:<{LABEL}}"
        numbered = self._slots.numbered(every)
        for column in layout.band_columns(band):
            x, _ = layout.place(column, 0)
            if column in numbered and x >= len(text):
                text = f"{text:<{x}}{numbered[column]}"
        return Content.styled(text, colours.QUIET)

    def _row(self, layout: GridLayout, band: int, row: int, selection: Removed) -> Content:
        room = room_of(self._ablation.values())
        name = row_name(self._players[at].kind for (_, its), at in self._slots.players.items() if its == row)
        parts: list[tuple[str, Style]] = [(f"{name:<{LABEL}}"[: LABEL - (layout.cell > 1)], colours.STRONG)]
        bracket = colours.STRONG if self.has_focus else colours.QUIET
        gap: tuple[str, Style] = (" ", Style())
        width = max(layout.cell - 1, 1)
        for column in layout.band_columns(band):
            number = self._slots.players.get((column, row))
            here = number is not None and number == self.cursor
            chosen = _SELECTED if len(selection) > 1 and number in selection else Style()
            if layout.cell > 1:
                parts.append(("[", bracket) if here else gap)
                gap = ("]", bracket) if here else (" ", chosen)
            text, style = (" " * width, Style()) if number is None else self._cell(self._players[number], room, width)
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
            return f"{self._unknown(player.kind):^{width}}", colours.QUIET
        part = point.drop / room
        return colours.weight(player.kind, part) * width, colours.importance(player.kind, part)

    def _detail(self, selection: Removed) -> Content:
        if len(selection) > 1:
            first, last = self._players[selection[0]], self._players[selection[-1]]
            what = "puts them back" if set(selection) <= set(self._removed) else "removes them"
            return Content(f"{len(selection)} selected, {first.label} to {last.label}: space {what}")
        player = self._players[self.cursor]
        name = (player.label, Style(foreground=LOOKS[player.kind].hue, bold=True))
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
