"""What becomes of finished lines before they reach the terminal: other colours, or characters of ASCII alone.

Widgets draw for a dark terminal. A theme changes all colours by one rule, so that no widget knows of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter, Monochrome

from tui.settings import Theme

Rgb = tuple[float, float, float]

# Weights of the eye for red, green and blue (ITU-R BT.709).
_LUMA: Final[Rgb] = (0.2126, 0.7152, 0.0722)
# What a deuteranope sees of red, green and blue, in linear light (Viénot, Brettel and Mollon 1999).
_SEEN: Final = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))
# Where the difference that is not seen goes: red stays, green and blue take it.
_MOVED: Final = ((0.0, 0.0, 0.0), (0.7, 1.0, 0.0), (0.7, 0.0, 1.0))


class Colours(LineFilter):
    """Changes every colour by the rule of a theme."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme: Theme = theme

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [Segment(text, _themed(style, self._theme), control) for text, style, control in segments]


class Ascii(LineFilter):
    """Replaces characters beyond ASCII, each by as many as it is wide."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [
            segment if segment.text.isascii() else Segment(ascii_text(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def filters_of(theme: Theme, *, only_ascii: bool) -> list[LineFilter]:
    """Return the filters of a theme and of a terminal that shows only ASCII."""
    colours: Sequence[LineFilter] = ()
    if theme == "monochrome":
        colours = [Monochrome()]
    elif theme != "dark":
        colours = [Colours(theme)]
    return [*colours, *([Ascii()] if only_ascii else [])]


@lru_cache(4096)
def _themed(style: Style | None, theme: Theme) -> Style | None:
    if style is None or (style.color is None and style.bgcolor is None):
        return style
    return style + Style.from_color(_changed(style.color, theme), _changed(style.bgcolor, theme))


def _changed(colour: RichColor | None, theme: Theme) -> RichColor | None:
    if colour is None or colour.is_default or colour.triplet is None:
        return colour
    before = (colour.triplet.red / 255, colour.triplet.green / 255, colour.triplet.blue / 255)
    after = lightness_turned(before) if theme == "light" else told_apart(before)
    red, green, blue = (round(255 * min(max(part, 0.0), 1.0)) for part in after)
    return RichColor.from_rgb(red, green, blue)


def lightness_turned(colour: Rgb) -> Rgb:
    """Return the colour of the same hue that is as light as the given one is dark. Parts are 0..1.

    All three parts move alike, which keeps hue and strength. What leaves 0..1 is drawn back towards grey.
    """
    luma = sum(weight * part for weight, part in zip(_LUMA, colour, strict=True))
    wanted = 1 - luma
    spread = [part - luma for part in colour]
    room = min((_room(wanted, part) for part in spread), default=1.0)
    return tuple(wanted + part * min(room, 1.0) for part in spread)  # type: ignore[return-value]


def _room(luma: float, part: float) -> float:
    """Return by how much a difference from grey may be multiplied, so that the sum stays in 0..1."""
    if part == 0:
        return 1.0
    return (1 - luma) / part if part > 0 else luma / -part


def told_apart(colour: Rgb) -> Rgb:
    """Return a colour in which red and green differ also for who cannot tell them apart. Parts are 0..1.

    The part that such a reader does not see is added to green and blue (daltonization, Fidaner, Lin and Ozguven 2005).
    """
    seen = [sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in _SEEN]
    lost = [part - there for part, there in zip(colour, seen, strict=True)]
    moved = [sum(weight * part for weight, part in zip(row, lost, strict=True)) for row in _MOVED]
    return tuple(part + more for part, more in zip(colour, moved, strict=True))  # type: ignore[return-value]


_PAIRS: Final = {
    "─╌┄╶╸╺╼╾": "-", "━═╍": "=", "▬": "#", "┈╴▖": ".", "│┃║╎┆┊╵╷╏": "|", "╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝┝┥┠┨┯┷┿╂": "+",
    "░": ".", "▒": ":", "▓": "%", "█■": "#", "▁▂": "_", "▔": "-", "▃▄": "-", "▅▆▀": "=", "▇": "#",
    "▏▎▍▌▐▕": "|", "▋▊▉": "#", "▗▘▝": "'", "▙▛▜▟▚▞": "%",
    "●": "o", "○": "-", "◎": "0", "◉◍": "@", "×✕✗✖": "x", "◆◇": "d", "▲△▵": "^", "▼▽": "v", "★☆": "*", "✚": "+",
    "⊗⊙": "@", "◦·•∙": ".", "…": "~", "–—−‑": "-", "≤": "<", "≥": ">", "≠": "!", "±": "+", "φ": "f", "✓✔": "v",
    "▸►▶→⇒›": ">", "◂◄◀←‹": "<", "↑": "^", "↓": "v", "↕": "|", "⏎": "$", "␣": "_", "⇥": ">", "␛␀": "?",
    "‘’": "'", "“”„": '"',
}  # fmt: skip
_WIDE: Final = {"🔎": "/ "}
"""Glyphs that are two columns wide."""
_TABLE: Final = {ord(glyph): letter for glyphs, letter in _PAIRS.items() for glyph in glyphs} | {
    ord(glyph): letters for glyph, letters in _WIDE.items()
}
_BRAILLE: Final = 0x2800
_DENSITY: Final = " .:-+*%##"
"""The letter of a cell of braille by its number of dots."""


@lru_cache(8192)
def ascii_text(text: str) -> str:
    """Return a text with each character beyond ASCII replaced by one that looks alike, or by a question mark."""
    text = text.replace(" ±", "+-")  # a plus sign alone would make a bound of an error
    return "".join(letter if letter.isascii() else _letter(letter) for letter in text)


def _letter(glyph: str) -> str:
    known = _TABLE.get(ord(glyph))
    if known is not None:
        return known
    if 0 <= ord(glyph) - _BRAILLE < 256:
        return _DENSITY[(ord(glyph) - _BRAILLE).bit_count()]
    return "?" * cell_len(glyph)
