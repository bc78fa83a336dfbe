"""Figure of each player's share of the sum of positive Shapley values, which the paper's Figure 2 shows as pies.

Here each task is a stacked bar, the largest share first. Lengths from a common line are read more exactly than angles
(Cleveland and McGill 1984), and tasks can be compared from bar to bar. A pie crowds the many small shares into
unreadable slivers; here they add up to a length for each kind, such as the other attention sublayers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from core.errors import CornerstoneError
from store.rows import ShapleyRow
from tui.drawing.provenance import obtained
from tui.figures.panels import Panel, above, counted, in_room, of_value, panels
from tui.figures.spread import points_wide, shortened, spread
from tui.figures.style import (
    INCHES,
    TALLEST,
    WHISKER,
    Look,
    Width,
    bar_key,
    look_of,
    looks_of,
    safe,
    styled,
)

TOP = 4
_HEIGHT = 0.66
_BAR = 0.4
_NAME_POINTS = 5.8
# The fraction of the figure's width that the names at the left may take.
_NAMES = 0.22


@dataclass(frozen=True, slots=True)
class _Segment:
    """A player's part of a bar, in percent."""

    row: ShapleyRow
    look: Look
    start: float
    length: float
    named: bool


def shares_figure(rows: Sequence[ShapleyRow], *, width: Width = "page") -> Figure:
    """Draw a bar for each model, task and estimator.

    The largest four shares have names, the others are grouped by kind.

    Raises:
        CornerstoneError: no value is positive, so there are no shares.
        ValueError: there are no rows.
    """
    there = [row for row in rows if row.share is not None]
    if rows and not there:
        raise CornerstoneError("no player has a positive Shapley value, so there are no shares to draw")
    common, found = panels(there, obtained)
    with styled():
        size = (INCHES[width], min(_HEIGHT * len(found) + 0.8, TALLEST))
        figure = Figure(figsize=size, layout="constrained")
        place = figure.subplots()
        names = size[0] * 72 * _NAMES
        a_point = 100 / (size[0] * 72 - names - 15)
        for at, panel in enumerate(found):
            _draw(place, _segments(panel), at, a_point)
        place.set_xlim(0, 100)
        place.set_ylim(len(found) - 0.5, -0.7)
        place.set_yticks(range(len(found)), [_heading(panel, names) for panel in found], fontsize=6)
        place.tick_params(axis="y", length=0)
        place.spines["left"].set_visible(False)
        axis = f"share (%) of the {of_value('sum of positive Shapley values', there)}"
        place.set_xlabel(in_room(axis, size[0] * 72 - names, 8))
        above(figure, common, _keys(there), width)
    return figure


def _heading(panel: Panel[ShapleyRow], points: float) -> str:
    lines = [*panel.title.split(", "), counted(panel.rows)]
    return "\n".join(shortened(line, points, 6) for line in lines)


def _segments(panel: Panel[ShapleyRow]) -> list[_Segment]:
    """Return the largest shares, then the others by kind, each with the largest first."""
    order = sorted(panel.rows, key=lambda row: row.rank)
    looks = looks_of(order)
    order[TOP:] = sorted(order[TOP:], key=lambda row: (looks.index(look_of(row)), row.rank))
    start, found = 0.0, []
    for at, row in enumerate(order):
        length = 100 * (row.share or 0.0)
        if length > 0:
            found.append(_Segment(row, look_of(row), start, length, at < TOP))
        start += length
    return found


def _draw(place: Axes, segments: Sequence[_Segment], at: int, a_point: float) -> None:
    for one in segments:
        place.barh(
            at,
            one.length,
            _BAR,
            left=one.start,
            color=one.look.colour if one.named else one.look.tint,
            hatch=one.look.hatch,
            edgecolor="white",
            linewidth=0.8 if one.named else 0.25,
        )
    _name(place, [one for one in segments if one.named], at, a_point)
    for look in dict.fromkeys(one.look for one in segments):
        _sum_up(place, [one for one in segments if not one.named and one.look is look], at, a_point)


def _name(place: Axes, named: Sequence[_Segment], at: int, a_point: float) -> None:
    """Write the names in a line above the bar, each with a thin line down to its segment."""
    texts = [f"{safe(one.row.label)}\n{one.length:.1f}%" for one in named]
    widths = [(points_wide(text, _NAME_POINTS) + _NAME_POINTS / 2) * a_point for text in texts]
    middles = [one.start + one.length / 2 for one in named]
    for text, middle, centre in zip(texts, middles, spread(middles, widths, 0, 100), strict=True):
        place.annotate(
            text,
            (middle, at - _BAR / 2),
            (centre, at - _BAR / 2 - 0.1),
            fontsize=_NAME_POINTS,
            ha="center",
            va="bottom",
            linespacing=1.0,
            arrowprops={"arrowstyle": "-", "color": WHISKER, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0},
        )


def _sum_up(place: Axes, others: Sequence[_Segment], at: int, a_point: float) -> None:
    """Write the summed share of the other players of a kind below them."""
    if not others:
        return
    total = sum(one.length for one in others)
    text = f"{len(others)} others {total:.1f}%" if len(others) > 1 else f"1 other {total:.1f}%"
    if points_wide(text, _NAME_POINTS) * a_point > total:
        text = f"{total:.0f}%"
    middle = others[0].start + total / 2
    place.text(middle, at + _BAR / 2 + 0.03, text, fontsize=_NAME_POINTS, ha="center", va="top", color="#555555")


def _keys(rows: Sequence[ShapleyRow]) -> list[Patch]:
    return [bar_key(look) for look in looks_of(rows)]
