"""What each kind of player looks like: its name, its colour and its glyphs, which differ also where colours do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.coalitions.players import PlayerKind

Rgb = tuple[int, int, int]
"""A colour, without the drawing library, which takes a tenth of a second to load."""


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a kind of player.

    Attributes:
        short: its name in at most four letters.
        hue: its colour; ``faint`` is the colour of a drop of 0.
        mark: its mark in a plot.
        weights: the glyphs of a drop, the smallest first. They fill a cell and may be repeated.
        letter: its mark in a chart of plain text, and ``ansi`` the colour of that.
    """

    short: str
    hue: Rgb
    faint: Rgb
    mark: str
    weights: str
    letter: str
    ansi: str


LOOKS: Final[Mapping[PlayerKind, Look]] = MappingProxyType(
    {
        "attn": Look("Attn", (255, 107, 107), (128, 84, 88), "●", "░▒▓█", "o", "red"),
        "ssm": Look("SSM", (236, 222, 92), (112, 106, 66), "◆", "▁▃▅▇", "s", "yellow"),
        "linear": Look("Lin", (255, 152, 206), (124, 90, 108), "▲", "╴─━▬", "l", "magenta"),
        "conv": Look("Conv", (64, 204, 176), (58, 104, 96), "■", "▖▌▙■", "c", "green"),
        "mixer": Look("Mix", (208, 208, 216), (104, 104, 112), "★", "◦○◎◉", "m", "white"),
        "ffn": Look("FFN", (96, 165, 255), (78, 98, 132), "×", "░▒▓█", "x", "blue"),
        "moe": Look("MoE", (128, 228, 248), (72, 112, 124), "✚", "⣀⣤⣶⣿", "e", "cyan"),
        "expert": Look("Exp", (190, 230, 110), (92, 108, 60), "▼", "⢀⢠⢰⢸", "r", "green+"),
    }
)
"""By kind, in the order of legends. Attention is red and FFN blue, as in the paper's figures."""

MIXERS: Final = frozenset[PlayerKind]({"attn", "ssm", "linear", "conv", "mixer"})
"""The kinds that mix tokens; the others work on each token by itself."""


def in_order(kinds: Iterable[PlayerKind]) -> list[PlayerKind]:
    """Return each of these kinds once, in the order of legends."""
    there = set(kinds)
    return [kind for kind in LOOKS if kind in there]


def row_name(kinds: Iterable[PlayerKind]) -> str:
    """Return a name of at most four letters for a row with players of these kinds."""
    there = in_order(kinds)
    if len(there) == 1:
        return LOOKS[there[0]].short
    return "Mix" if MIXERS.intersection(there) else "FFN"
