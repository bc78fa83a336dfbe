"""What the layer grid's glyphs and colours stand for."""

from __future__ import annotations

from collections.abc import Collection

from textual.content import Content
from textual.style import Style

from core.summaries.points import AblationPoint
from tui.drawing import colours
from tui.drawing.numbers import decimal

_LEAST = 0.05


def room_of(points: Collection[AblationPoint]) -> float:
    """The drop that counts as whole: from intact down to chance (or 0), or else the largest there is."""
    first = next(iter(points), None)
    if first is None:
        return 1.0
    room = first.intact_acc - (first.chance or 0.0) if 0 <= first.intact_acc <= 1 else 0.0
    return room if room >= _LEAST else max(_LEAST, *(point.drop for point in points))


def legend(room: float, known: int, players: int) -> Content:
    """From which drop a cell has which glyph, of ``players`` of which ``known`` have one."""
    parts: list[str | tuple[str, Style]] = []
    if known:
        floors = [0.0, *colours.STEPS]
        parts.append("drop ")
        for glyph, floor in zip(colours.WEIGHTS, floors, strict=True):
            # The colour of the middle of the step, as cells are coloured without steps.
            tint = floor + 0.15
            text = f"{decimal(floor * room, 2)}+" if floor else f"<{decimal(colours.STEPS[0] * room, 2)}"
            parts += [(glyph, colours.importance("attn", tint)), (glyph, colours.importance("ffn", tint)), f" {text}  "]
    if known < players:
        parts += [(colours.UNKNOWN_GLYPH, colours.QUIET), " unknown  "]
    return Content.assemble(*parts, (colours.REMOVED_GLYPH, colours.REMOVED), " removed")
