"""Figure of Shapley values by player, with their intervals: the paper's Figure 6."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from store.rows import ShapleyRow
from tui.drawing.provenance import obtained
from tui.figures.panels import Panel, above, entitle, grid, of_value, panels, tick_step
from tui.figures.spread import points_wide, spread
from tui.figures.style import OTHER, WHISKER, Width, bar_key, line_key, look_of, looks_of, safe, styled

TOP = 3
_HEIGHT = 1.7
_NAME_POINTS = 6.0
# Bars narrower than this have no hatch.
_HATCHED_POINTS = 3.0


def shapley_figure(rows: Sequence[ShapleyRow], *, width: Width = "page") -> Figure:
    """Draw a panel per task and estimator: an unclipped bar and its interval per player; the largest three have names.

    Raises:
        ValueError: there are no rows.
    """
    common, found = panels(rows, obtained)
    players = max(len(panel.rows) for panel in found)
    columns = 2 if width == "page" and players <= 64 and len(found) > 3 else 1
    with styled():
        figure, axes, room = grid(len(found), width, columns, _HEIGHT, share_y=False)
        for place, panel in zip(axes, found, strict=True):
            _draw(place, panel, room)
        looks = looks_of(rows)
        by_layer = OTHER not in looks
        figure.supxlabel("layer" if by_layer else "players removed together", fontsize=7)
        figure.supylabel(of_value("Shapley value", rows), fontsize=7)
        keys = [bar_key(look) for look in looks] if by_layer else []
        above(figure, common, [*keys, line_key(WHISKER, "-", "95% interval")], width)
    return figure


def _draw(place: Axes, panel: Panel[ShapleyRow], room: float) -> None:
    rows = panel.rows
    entitle(place, panel, room)
    hatched = room / (len(rows) + 1) >= _HATCHED_POINTS
    for row in rows:
        look = look_of(row)
        hatch = look.hatch if hatched else ""
        place.bar(row.player, row.phi, width=0.8, color=look.colour, hatch=hatch, edgecolor="white", linewidth=0)
    thin = 0.8 if len(rows) <= 80 else 0.5
    across, low, high = [row.player for row in rows], [row.phi_low for row in rows], [row.phi_high for row in rows]
    place.vlines(across, low, high, color=WHISKER, linewidth=thin, zorder=3)
    place.axhline(0, color="black", linewidth=0.5)
    place.set_xlim(-1, len(rows))
    _mark_players(place, rows)
    _name_largest(place, rows, room)


def _mark_players(place: Axes, rows: Sequence[ShapleyRow]) -> None:
    if any(look_of(row) is OTHER for row in rows):
        step = tick_step(len(rows))
        place.set_xticks(range(0, len(rows), step), [safe(row.label) for row in rows[::step]])
        return
    bars: dict[int, list[int]] = {}
    for row in rows:
        bars.setdefault(row.layer or 0, []).append(row.player)
    ticks = [layer for layer in bars if layer % tick_step(len(bars)) == 0]
    place.set_xticks([sum(bars[layer]) / len(bars[layer]) for layer in ticks], [str(layer) for layer in ticks])


def _name_largest(place: Axes, rows: Sequence[ShapleyRow], room: float) -> None:
    """Write the names in a line above the bars, each with a thin line down to its bar."""
    named = [row for row in rows if row.rank <= TOP and row.phi > 0]
    low, high = min(row.phi_low for row in rows), max(row.phi_high for row in rows)
    height = (high - low) or 1.0
    place.set_ylim(min(low, 0) - 0.04 * height, max(high, 0) + 0.3 * height)
    texts = [f"{safe(row.label)} {row.phi:.3f}" for row in named]
    a_point = (len(rows) + 1) / room
    widths = [points_wide(f"{text}  ", _NAME_POINTS) * a_point for text in texts]
    centres = spread([row.player for row in named], widths, -1, len(rows))
    for row, text, centre in zip(named, texts, centres, strict=True):
        place.annotate(
            text,
            (row.player, max(row.phi_high, 0)),
            (centre, max(high, 0) + 0.18 * height),
            fontsize=_NAME_POINTS,
            ha="center",
            va="bottom",
            arrowprops={"arrowstyle": "-", "color": WHISKER, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 1},
        )
