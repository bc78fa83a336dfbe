"""Colours and glyphs that mean the same in every widget; those of kinds of players are in ``kinds``.

A stronger colour means more.
"""

from __future__ import annotations

from textual.color import Color
from textual.style import Style

from core.coalitions.players import PlayerKind
from tui.drawing.kinds import LOOKS

WRONG = Color(255, 107, 107)
INTACT = Color(126, 211, 133)
CHANCE = Color(150, 150, 158)
# Interactions avoid the colours of kinds of players. Colour-blind readers can distinguish these two.
NEED = Color(250, 165, 70)
BACK_UP = Color(165, 130, 250)
_NO_EFFECT = Color(44, 45, 54)

QUIET = Style(foreground=Color(138, 140, 150))
STRONG = Style(bold=True)
WARN = Style(foreground=Color(245, 190, 80), bold=True)
FAULT = Style(foreground=Color(255, 100, 100), bold=True)
REMOVED = Style(foreground=Color(20, 20, 20), background=Color(245, 190, 80), bold=True)
# The cursor on a cell that is one character wide, and so has no room for brackets.
CURSOR = Style(bold=True, reverse=True)

UNKNOWN_GLYPH = "·"
REMOVED_GLYPH = "✕"
# A drop gets the next glyph from these fractions of the distance between intact and chance.
STEPS = (0.1, 0.3, 0.6)


def hue(kind: PlayerKind) -> Color:
    """Return the colour of a kind of player."""
    return Color(*LOOKS[kind].hue)


def importance(kind: PlayerKind, part: float) -> Style:
    """Return the colour of a drop that is ``part`` (0..1) of the largest expected one."""
    return Style(foreground=Color(*LOOKS[kind].faint).blend(hue(kind), min(max(part, 0.0), 1.0)))


def weight(kind: PlayerKind, part: float) -> str:
    """Return the glyph of a drop that is ``part`` (0..1) of the largest expected one."""
    return LOOKS[kind].weights[sum(part >= step for step in STEPS)]


def effect(part: float) -> Style:
    """Return the style of an interaction that is ``part`` (-1..1) of the largest: orange above 0, purple below."""
    strength = min(abs(part), 1.0)
    background = _NO_EFFECT.blend(NEED if part > 0 else BACK_UP, strength)
    return Style(foreground=Color(16, 16, 20) if strength > 0.5 else Color(235, 235, 240), background=background)
