"""Heat map of windows: the neighbouring players that back each other up, and those that need each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from store.rows import InteractionRow
from tui.drawing.interaction_scale import largest_effect
from tui.drawing.map_layout import layers_of
from tui.figures.panels import Panel, above, entitle, grid, of_value, panels, tick_step
from tui.figures.style import Width, sign_key, styled

# Not the colours of kinds of players. Colour-blind readers can distinguish these two.
_COLOURS = "PuOr_r"
_HEIGHT = 0.95
_BAR_POINTS = 45.0
# From this fraction of the largest effect on, the colour hides a black sign.
_DARK = 0.75


def interactions_figure(rows: Sequence[InteractionRow], *, width: Width = "page") -> Figure:
    """Draw a heat map per task: a column per first player of a window, a row per length, coloured by the effect.

    A cell shows a sign if its interval, taken by itself, excludes 0. So the figure can be read without colour.

    Raises:
        ValueError: there are no rows.
    """
    common, found = panels(rows)
    largest = largest_effect(rows)
    with styled():
        figure, axes, room = grid(len(found), width, 1, _HEIGHT, share_y=False)
        scale = Normalize(-largest, largest)
        room -= _BAR_POINTS
        for place, panel in zip(axes, found, strict=True):
            _draw(place, panel, scale, room)
        figure.supxlabel("layer of the window's first player", fontsize=7)
        figure.supylabel("players in the window", fontsize=7)
        bar = figure.colorbar(ScalarMappable(scale, _COLOURS), ax=axes, fraction=0.03, pad=0.01, aspect=12 * len(axes))
        bar.set_label(of_value("effect", rows), fontsize=6.5)
        bar.outline.set_linewidth(0.5)
        above(figure, common, _keys(width), width)
    return figure


def _keys(width: Width) -> list[Line2D]:
    above_zero, below_zero = (" (interval above 0)", " (interval below 0)") if width == "page" else ("", "")
    return [
        sign_key("+", f"they need each other{above_zero}"),
        sign_key("_", f"they back each other up{below_zero}"),
    ]


def _draw(place: Axes, panel: Panel[InteractionRow], scale: Normalize, room: float) -> None:
    rows = panel.rows
    sizes = sorted({row.size for row in rows})
    players = max(row.first + row.size for row in rows)
    entitle(place, panel, room)
    effects = np.full((len(sizes), players), np.nan)
    for row in rows:
        effects[sizes.index(row.size), row.first] = row.effect
    mark = min(0.55 * room / players, 4.0)
    edges = np.arange(players + 1) - 0.5
    place.pcolormesh(edges, np.arange(len(sizes) + 1) - 0.5, effects, cmap=_COLOURS, norm=scale, edgecolor="none")
    for marker, chosen in (("+", [row for row in rows if row.low > 0]), ("_", [row for row in rows if row.high < 0])):
        dark = [abs(row.effect) > _DARK * (scale.vmax or 1.0) for row in chosen]
        place.scatter(
            [row.first for row in chosen],
            [sizes.index(row.size) for row in chosen],
            s=mark**2,
            marker=marker,
            c=["white" if one else "black" for one in dark],
            linewidths=min(mark / 5, 0.7),
        )
    place.set_ylim(len(sizes) - 0.5, -0.5)
    place.set_yticks(range(len(sizes)), [str(size) for size in sizes])
    layers = layers_of(rows)
    starts = {layer: first for first, layer in reversed(list(enumerate(layers)))}
    ticks = range(0, layers[-1] + 1, tick_step(layers[-1] + 1))
    place.set_xticks([starts[layer] for layer in ticks if layer in starts], [str(t) for t in ticks if t in starts])
    place.set_xlim(-0.5, players - 0.5)
