"""The scale of the layer grid: the drops that its glyphs and colours stand for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.content import Content
from textual.style import Style

from core.coalitions.players import PlayerKind
from core.summaries.points import AblationPoint
from tui.drawing import colours
from tui.drawing.kinds import LOOKS
from tui.drawing.numbers import decimal

_LEAST = 0.05


def room_of(points: Collection[AblationPoint], *, lower: bool = False) -> float:
    """Return the drop that has the full colour: from intact down to chance (or 0), else the largest drop.

    It is the largest drop too where a lower score is better.
    """
    first = next(iter(points), None)
    if first is None:
        return 1.0
    room = first.intact_acc - (first.chance or 0.0) if not lower and 0 <= first.intact_acc <= 1 else 0.0
    return room if room >= _LEAST else max(_LEAST, *(point.drop for point in points))


def legend(room: float, known: int, players: int, kinds: Sequence[PlayerKind], unknown: str) -> Content:
    """Return the legend of the glyphs.

    Args:
        room: the drop that has the full colour.
        known: how many players have a drop.
        players: how many there are.
        kinds: the kinds of players that there are.
        unknown: the glyphs of players without a drop.
    """
    parts: list[str | tuple[str, Style]] = []
    if known:
        parts.append("drop ")
        for floor in (0.0, *colours.STEPS):
            # Take the colour of the middle of the step, because the colour of cells changes without steps.
            tint = floor + 0.15
            text = f"{decimal(floor * room, 2)}+" if floor else f"<{decimal(colours.STEPS[0] * room, 2)}"
            parts += [(colours.weight(kind, floor), colours.importance(kind, tint)) for kind in kinds]
            parts.append(f" {text}  ")
    if known < players:
        parts += [(unknown, colours.QUIET), " unknown  "]
    return Content.assemble(*parts, (colours.REMOVED_GLYPH, colours.REMOVED), " removed")


def kinds_key(kinds: Sequence[PlayerKind]) -> Content:
    """Return the name of each kind with its mark and the glyph of a large drop."""
    words = [
        Content.assemble(
            (LOOKS[kind].mark + LOOKS[kind].weights[2], Style(foreground=colours.hue(kind))), f" {LOOKS[kind].short}"
        )
        for kind in kinds
    ]
    return Content("  ").join(words)
