"""The style that all figures share: colours and marks with one meaning, sizes for a paper, text without markup."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import matplotlib
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.players import PlayerKind
from store.rows import ShapleyRow
from tui.drawing.plain import plain

Width = Literal["column", "page"]
"""One column of a two-column paper, or the full width of its text."""

INCHES: dict[Width, float] = {"column": 3.35, "page": 6.9}
TALLEST = 9.0
"""Height in inches that a page has for a figure."""


@dataclass(frozen=True, slots=True)
class Look:
    """The colours, mark and hatch of a kind of player.

    Marks and hatches differ, and so do the colours' lightness and hue. So kinds can be distinguished on a
    black-and-white print, and by colour-blind readers.
    """

    name: str
    colour: str
    tint: str
    marker: str
    hatch: str


# Vermillion from Okabe and Ito's palette, blue from Tol's high-contrast one: lightness 54 and 29 (CIE L*).
ATTENTION = Look("attention", "#D55E00", "#F2C6A5", "o", "")
FFN = Look("FFN", "#004488", "#8FA9C4", "x", "////")
OTHER = Look("groups of layers", "#6B6B6B", "#C8C8C8", "s", "..")
# The others are Okabe and Ito's too, but for the mixer's grey.
LOOKS: Mapping[PlayerKind, Look] = MappingProxyType(
    {
        "attn": ATTENTION,
        "ssm": Look("SSM", "#E6C229", "#F5E6A8", "D", "xxxx"),
        "linear": Look("linear attention", "#CC79A7", "#EBCBDD", "^", "----"),
        "conv": Look("convolution", "#009E73", "#99D8C7", "v", "||||"),
        "mixer": Look("mixer", "#4A4A4A", "#B0B0B0", "*", "oo"),
        "ffn": FFN,
        "moe": Look("MoE", "#56B4E9", "#BBE1F6", "+", "\\\\\\\\"),
        "expert": Look("expert", "#6B7F00", "#C9D28F", "P", "++"),
    }
)
"""By kind of player, in the order of legends."""
INTACT = "#333333"
CHANCE = "#777777"
WHISKER = "#9A9A9A"

_RC: Any = {  # newer versions of matplotlib give each key its own type
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 7,
    "figure.titlesize": 8,
    "font.size": 7,
    "hatch.color": "white",
    "hatch.linewidth": 0.4,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "svg.hashsalt": "cornerstone",
    "text.parse_math": False,
    "xtick.labelsize": 6.5,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 6.5,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style for making and saving figures inside the block; restore the caller's settings afterwards.

    The style starts from matplotlib's defaults, not from the user's file, so that a figure is the same everywhere.
    Dollar signs do not start formulas. Text stays text in SVG, and fonts are embedded as TrueType in PDF.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def look_of(row: ShapleyRow) -> Look:
    """Return the look of a row's player; a group of players is grey."""
    return OTHER if row.kind is None or row.players != SUBLAYERS else LOOKS[row.kind]


def looks_of(rows: Iterable[ShapleyRow]) -> list[Look]:
    """Return each look of these rows once, in the order of legends."""
    there = set(map(look_of, rows))
    return [look for look in (*LOOKS.values(), OTHER) if look in there]


def safe(text: str) -> str:
    """Return text from outside without control characters, or characters that XML does not allow."""
    return "".join(" " if unicodedata.category(char) == "Cn" else char for char in plain(text))


def bar_key(look: Look) -> Patch:
    """Return a legend entry for bars."""
    return Patch(facecolor=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0, label=look.name)


def mark_key(look: Look) -> Line2D:
    """Return a legend entry for marks."""
    return Line2D([], [], color=look.colour, marker=look.marker, markersize=4, linestyle="none", label=look.name)


def line_key(colour: str, style: Literal["-", "--"], name: str) -> Line2D:
    """Return a legend entry for a line."""
    return Line2D([], [], color=colour, linestyle=style, linewidth=0.9, label=name)


def sign_key(marker: str, name: str) -> Line2D:
    """Return a legend entry for a sign."""
    return Line2D([], [], color="black", marker=marker, markersize=4, linestyle="none", label=name)
