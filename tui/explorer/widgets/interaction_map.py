"""Map of interactions: a cell per window of neighbours, coloured by what the players lose together but not apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style

from core.values.derived import named
from tui.drawing import colours
from tui.drawing.coalition_name import window_name
from tui.drawing.fitting import CORNERS, bands_that_fit, fitting
from tui.drawing.interaction_scale import (
    BACK_UP,
    LEANS_TO_BACK_UP,
    LEANS_TO_NEED,
    LITTLE,
    NEED,
    glyph,
    largest_effect,
    verdict,
)
from tui.drawing.map_layout import LABEL, MapLayout, layers_of, map_layout
from tui.drawing.numbers import between, decimal, whole
from tui.drawing.plain import plain
from tui.explorer.widgets.panel import Panel

if TYPE_CHECKING:
    from store.rows import InteractionRow

# Lines of the screen that the table below the map and everything around both need.
_LINES_OF_OTHERS = 16

Window = tuple[int, int]
"""The size of a window and its first player."""


class InteractionMap(Panel, can_focus=True):
    """The map of one model and task. A column is a window's first player, a line is its size.

    Columns that do not fit continue in another band.
    """

    HELP = (
        "Every cell is a window of neighbouring sublayers: its first one across, how many they are downwards. "
        "Purple with ▼: they back each other up, together they cost more than apart. Orange with ▲: they need each "
        "other, one gone has cost it all already. A triangle means that the interval, by itself, leaves out 0. "
        "Arrows, home and end move; the window under the cursor, or the mouse, is named below."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "window before", show=False),
        Binding("right", "move(1, 0)", "next window", show=False),
        Binding("up", "move(0, -1)", "shorter window", show=False),
        Binding("down", "move(0, 1)", "longer window", show=False),
        Binding("home", "edge(0)", "first window", show=False),
        Binding("end", "edge(1)", "last window", show=False),
    ]

    cursor: reactive[Window] = reactive((2, 0))
    hovered: reactive[Window | None] = reactive(None)

    @dataclass
    class Picked(Message):
        """The user moved the cursor to another window."""

        size: int
        first: int

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[InteractionRow] = ()
        self._known: Mapping[Window, InteractionRow] = {}
        self._largest = 1.0
        self._layers: tuple[int, ...] = ()
        self._sizes: tuple[int, ...] = (2,)

    def show(self, rows: Sequence[InteractionRow]) -> None:
        """Draw the rows of one model and task, if they changed."""
        if rows == self._rows:
            return
        self._rows = rows
        self._known = {(row.size, row.first): row for row in rows}
        self._largest = largest_effect(rows)
        self._layers = layers_of(rows)
        self._sizes = tuple(sorted({row.size for row in rows})) or (2,)
        self._move(*self.cursor)
        self._label()
        self.refresh(layout=True)

    def point_at(self, size: int, first: int) -> None:
        """Move the cursor to a window without posting a message."""
        if (size, first) in self._known:
            self.cursor = (size, first)

    def action_move(self, windows: int, sizes: int) -> None:
        size, first = self.cursor
        at = self._sizes.index(size) + sizes
        if 0 <= at < len(self._sizes):
            self._move(self._sizes[at], first + windows)
            self._tell()

    def action_edge(self, end: int) -> None:
        self._move(self.cursor[0], end * len(self._layers))
        self._tell()

    def on_click(self, event: events.Click) -> None:
        window = self._window_under(event)
        if window is not None:
            self.cursor = window
            self._tell()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.hovered = self._window_under(event)

    def on_leave(self) -> None:
        self.hovered = None

    def on_resize(self) -> None:
        self._label()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        layout = map_layout(self._layers, self._sizes, width)
        most = max((viewport.height - _LINES_OF_OTHERS) // layout.lines_a_band, 1)
        return min(layout.bands, most) * layout.lines_a_band + 1

    def render(self) -> Content:
        layout = self._layout
        lines = []
        for band in range(self._first_band, self._first_band + self._bands_shown):
            lines.append(Content.styled(layout.numbers(band), colours.QUIET))
            lines += [self._line(layout, band, size) for size in layout.sizes]
        return Content("\n").join([*lines, self._detail()])

    @property
    def _layout(self) -> MapLayout:
        return map_layout(self._layers, self._sizes, self.content_size.width)

    @property
    def _bands_shown(self) -> int:
        layout = self._layout
        return bands_that_fit(layout.bands, layout.lines_a_band, self.content_size.height - 1)

    @property
    def _first_band(self) -> int:
        """Return the first visible band, so that the cursor's band is visible."""
        return max(self._layout.band_of(self.cursor[1]) - self._bands_shown + 1, 0)

    def _window_under(self, event: events.MouseEvent) -> Window | None:
        offset, layout = event.get_content_offset(self), self._layout
        if offset is None or not self._rows or offset.y >= self._bands_shown * layout.lines_a_band:
            return None
        return layout.window_at(offset.x, offset.y + self._first_band * layout.lines_a_band)

    def _move(self, size: int, first: int) -> None:
        """Move the cursor to a window, or to the nearest one that exists."""
        size = size if size in self._sizes else self._sizes[0]
        self.cursor = (size, max(min(first, len(self._layers) - size), 0))

    def _tell(self) -> None:
        self.post_message(self.Picked(*self.cursor))

    def _line(self, layout: MapLayout, band: int, size: int) -> Content:
        parts: list[tuple[str, Style]] = [(f"{size:<{LABEL}}", colours.STRONG)]
        for first in layout.firsts(band):
            row = self._known.get((size, first))
            text = f"{' ' if row is None else glyph(row, self._largest):<{layout.cell}}"
            style = Style() if row is None else colours.effect(row.effect / self._largest)
            parts.append((text, colours.CURSOR if (size, first) == self.cursor else style))
        return Content.assemble(*parts)

    def _detail(self) -> Content:
        """Describe the window under the mouse, else the one under the cursor."""
        row = self._known.get(self.hovered or self.cursor)
        if row is None:
            return Content("")
        name = (plain(window_name(row.labels)), colours.STRONG)
        effect = f"  effect {decimal(row.effect)} [{between(row.low, row.high)}]"
        parts = f"  together {decimal(row.joint_drop)}, apart {decimal(row.effect + row.joint_drop)}"
        return fitting(
            self.content_size.width,
            Content.assemble(name, effect, f": {verdict(row)}", f" {parts}"),
            Content.assemble(name, effect, parts),
            Content.assemble(name, effect),
        )

    def _label(self) -> None:
        if not self._rows:
            return
        first, room = self._rows[0], self.outer_size.width - CORNERS
        of = f"{plain(first.model)} on {plain(first.task)}"
        value = plain(named(first.value))
        title, n = f"Interactions of neighbours in {value}: {of}", f"n = {whole(first.n)}"
        self.border_title = fitting(room, f"{title}, {n}", f"Interactions ({value}), {n}", f"Interactions, {n}", n)
        effects = [row.effect for row in self._rows]
        small, large = decimal(min(0.0, *effects), 2), decimal(max(0.0, *effects), 2)
        back, need = (BACK_UP, colours.effect(-1)), (NEED, colours.effect(1))
        leaning = f"{LEANS_TO_BACK_UP} {LEANS_TO_NEED} undecided  {LITTLE} little"
        self.border_subtitle = fitting(
            room,
            Content.assemble(back, f" back each other up ({small})  ", need, f" need each other ({large})  ", leaning),
            Content.assemble(back, " back each other up  ", need, " need each other  ", leaning),
            Content.assemble(back, " back up  ", need, " need  ", leaning),
        )
