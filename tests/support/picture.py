"""A picture of a screen as text: what stands on it, and below that the look of each run of characters.

A change of a word or a colour is then a change of a line.
"""

from __future__ import annotations

from itertools import groupby
from string import ascii_letters, digits
from typing import Any, Final

from rich.cells import cell_len
from rich.style import Style
from textual.app import App

_NAMES: Final = ascii_letters + "".join(chr(number) for number in range(0xC0, 0x250))
"""The letters that looks are called by."""


def picture(app: App[Any]) -> str:
    """Return the screen in front.

    The lines come first. Then comes a line for each of them, such as ``a12 b3``: 12 columns look like a, and 3 like b.
    At last every look is described.
    """
    looks: dict[str, str] = {}
    lines, runs = [], []
    for strip in app.screen._compositor.render_strips():
        lines.append(strip.text.rstrip())
        cells = [(_look(style), cell_len(text)) for text, style, _ in strip if text]
        parts = [(look, sum(width for _, width in run)) for look, run in groupby(cells, key=lambda cell: cell[0])]
        runs.append(" ".join(f"{_name(looks, look)}{width}" for look, width in parts))
    described = [f"{name} {look}" for look, name in looks.items()]
    width, height = app.size
    return "\n".join([f"{width}x{height}", *lines, "", *runs, "", *described, ""])


def _look(style: Style | None) -> str:
    """Return the colours and attributes of a style, without links and other actions."""
    return "plain" if style is None else str(style.without_color + Style.from_color(style.color, style.bgcolor))


def _name(looks: dict[str, str], look: str) -> str:
    assert not set(_NAMES) & set(digits)
    return looks.setdefault(look, _NAMES[len(looks)])
