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
from tui.drawing.numbers import between, decimal, percent, percent_range, whole
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
        "Arrows, home and end move, g goes to a layer by name; shift with arrows, or dragging, selects a block; space "
        "(or a click on one cell) removes what is selected, or puts it back; l takes whole layers. "
        "Removed cells are crossed out. The layer under the cursor is marked in the charts too."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "deselect", "select nothing", show=False),
        *(
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
        ),
    ]
    ALLOW_SELECT = False

    cursor = reactive(0)
    fixed_end: reactive[int | None] = reactive(None)

    @dataclass
    class Changed(Message):
        """The user asks for exactly the players ``removed`` to be removed."""

        removed: Removed

    @dataclass
    class Moved(Message):
        """The cursor is on another player."""

        player: int

    def __init__(self) -> None:
        super().__init__()
        self._pressed: int | None = None
        """The player on which the mouse was pressed, until it is dragged."""
        self._top = 0
        """The first visible band, until the cursor leaves what is visible."""
        self._players: Sequence[Player] = ()
        self._slots = slots_of(())
        # Whether a row has players of several kinds, so that its name does not tell them.
        self._mixed = False
        self._removed: Removed = ()
        self._charts: Charts | None = None
        self._lower = False
        self._ablation: dict[int, AblationPoint] = {}
        self._shares: dict[int, ShapleyPoint] = {}
        self.border_title = Content("Layers")

    def show(self, players: Sequence[Player], removed: Removed, charts: Charts | None, *, lower: bool = False) -> None:
        """Draw the players, the coalition and the charts, if they changed; ``lower`` where a lower score is better."""
        if tuple(players) == self._players and removed == self._removed and charts is self._charts:
            return
        resized = tuple(players) != self._players
        if resized:
            self._players, self._slots = tuple(players), slots_of(players)
            rows = {(self._slots.cells[player.number][1], player.kind) for player in players}
            self._mixed = len(rows) > self._slots.rows
        self._removed = removed
        if charts is not self._charts:
            self._charts, self._lower = charts, lower
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

    def watch_cursor(self, cursor: int) -> None:
        self._top = self._first_band
        self.post_message(self.Moved(cursor))

    def go_to(self, player: int) -> None:
        """Move the cursor to a player, and select nothing else."""
        self._move(player, selecting=False)

    def deselect(self) -> None:
        """Select nothing but the player under the cursor."""
        self.fixed_end = None

    def toggle_here(self, *, whole_layers: bool = False) -> None:
        """Remove the selected players, or put them back if all of them are removed.

        Args:
            whole_layers: take every player of their layers.
        """
        chosen = set(self.selection)
        if whole_layers:
            layers = {self._players[number].layer for number in chosen}
            chosen = {player.number for player in self._players if player.layer in layers}
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

    def action_deselect(self) -> None:
        self.deselect()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to select by dragging; with shift, what is selected grows or shrinks."""
        player = self._player_under(event)
        self._pressed = None
        if player is not None and event.button == 1:
            self._pressed = None if event.shift else player
            self._move(player, event.shift)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        player = self._player_under(event) if self.app.mouse_captured is self else None
        if player is not None and player != self.cursor:
            self._pressed = None
            self._move(player, selecting=True)

    def on_mouse_up(self) -> None:
        self.release_mouse()

    def on_click(self) -> None:
        """Toggle the cell, unless the click ends a selection."""
        if self._pressed is not None:
            self.toggle_here()

    def _player_under(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        layout, above = self._layout, self._first_band * self._layout.lines_a_band
        if offset is None or not self._players or offset.y >= self._bands_shown * layout.lines_a_band:
            return None
        cell = layout.cell_at(offset.x, offset.y + above)
        return None if cell is None else self._slots.players.get(cell)

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
        """Return the first visible band: the last one that was, or the nearest that shows the cursor's band."""
        band = self._slots.cells[self.cursor][0] // self._layout.per_band if self._players else 0
        most = max(self._layout.bands - self._bands_shown, 0)
        return min(max(self._top, band - self._bands_shown + 1), band, most)

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
        room = room_of(self._ablation.values(), lower=self._lower)
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
        room = room_of(self._ablation.values(), lower=self._lower)
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
        """Describe the player under the cursor, after what is selected with it."""
        width = self.content_size.width
        if len(selection) == 1:
            return fitting(width, *self._described())
        what = "puts them back" if set(selection) <= set(self._removed) else "removes them"
        selected = Content(f"{len(selection)} selected: space {what}")
        first, last = self._players[selection[0]], self._players[selection[-1]]
        named = Content(f"{len(selection)} selected, {first.label} to {last.label}: space {what}")
        both = [Content.assemble(start, "   ", each) for start in (named, selected) for each in self._described()]
        return fitting(width, *both, named, selected)

    def _of_others(self, n: int) -> str:
        """Return the number of documents, where the intact score on the screen is of another number."""
        intact = None if self._charts is None else self._charts.intact
        return "" if intact is None or intact.n == n else f", n = {whole(n)}"

    def _described(self) -> list[Content]:
        """Return what is known of the player under the cursor, from long to short."""
        player = self._players[self.cursor]
        name = (player.label, Style(foreground=colours.hue(player.kind), bold=True))
        state = (" removed" if player.number in self._removed else "", colours.WARN)
        point, share = self._ablation.get(player.number), self._shares.get(player.number)
        alone, of_all = "  not evaluated alone yet", ""
        if point is not None:
            drop = f"drop {decimal(point.drop)} [{between(point.drop_low, point.drop_high)}]"
            alone = f"  without it {decimal(point.acc)}, {drop}{self._of_others(point.n)}"
        if share is not None:
            of_all = f"  share {percent(share.share)} [{percent_range(share.share_low, share.share_high)}]"
        # If space is short, the numbers stay: the cell already shows that the player is removed.
        return [Content.assemble(name, state, alone, of_all), Content.assemble(name, alone, of_all)]
