"""The scale of the layer grid: the drops that its glyphs and colours stand for."""

from __future__ import annotations

from collections.abc import Collection

from textual.content import Content
from textual.style import Style

from core.summaries.points import AblationPoint
from tui.drawing import colours
from tui.drawing.numbers import decimal

_LEAST = 0.05


def room_of(points: Collection[AblationPoint]) -> float:
    """Return the drop that has the full colour: from intact down to chance (or 0), else the largest drop."""
    first = next(iter(points), None)
    if first is None:
        return 1.0
    room = first.intact_acc - (first.chance or 0.0) if 0 <= first.intact_acc <= 1 else 0.0
    return room if room >= _LEAST else max(_LEAST, *(point.drop for point in points))


def legend(room: float, known: int, players: int) -> Content:
    """Return the legend of the glyphs. ``known`` of ``players`` players have a drop."""
    parts: list[str | tuple[str, Style]] = []
    if known:
        floors = [0.0, *colours.STEPS]
        parts.append("drop ")
        for glyph, floor in zip(colours.WEIGHTS, floors, strict=True):
            # Take the colour of the middle of the step, because the colour of cells changes without steps.
            tint = floor + 0.15
            text = f"{decimal(floor * room, 2)}+" if floor else f"<{decimal(colours.STEPS[0] * room, 2)}"
            parts += [(glyph, colours.importance("attn", tint)), (glyph, colours.importance("ffn", tint)), f" {text}  "]
    if known < players:
        parts += [(colours.UNKNOWN_GLYPH, colours.QUIET), " unknown  "]
    return Content.assemble(*parts, (colours.REMOVED_GLYPH, colours.REMOVED), " removed")
