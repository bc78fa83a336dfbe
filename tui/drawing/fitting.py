"""Text that adapts to the available width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size
from textual.content import Content

# Columns that a border takes from a title: a corner, a line and a blank at each end.
CORNERS = 6

_BETWEEN: Final = re.compile(r" (?!(?<=\d )(?:\d|(?:kB|MB|GB|s|min|h|days)\b))")


def fitting(width: int, *variants: str | Content) -> Content:
    """Return the first variant that fits into ``width``, else the last one, truncated."""
    contents = [Content(variant) if isinstance(variant, str) else variant for variant in variants]
    chosen = next((content for content in contents if content.cell_length <= width), contents[-1])
    return chosen.truncate(width, ellipsis=True) if width > 0 else chosen


def middle(name: str, width: int) -> str:
    """Return a name; without its middle if it is wider than ``width``, because names often differ at the end."""
    if cell_len(name) <= width:
        return name
    if width <= 1:
        return "…"[:width]
    end = (width - 1) // 2
    return f"{set_cell_size(name, width - 1 - end).rstrip()}…{_last_cells(name, end)}"


def _last_cells(text: str, cells: int) -> str:
    """Return the end of a text that takes so many columns at most."""
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= cells:
        start -= 1
    return text[start:]


def flowed(width: int, fields: Iterable[Content], gap: str = "  ") -> list[Content]:
    """Return lines of fields side by side; a field that does not fit starts a new line."""
    lines: list[Content] = []
    for field in fields:
        joined = Content(gap).join([lines[-1], field]) if lines else field
        if lines and joined.cell_length <= width:
            lines[-1] = joined
        else:
            lines.append(field)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken between words, and neither in a number nor before the unit of one."""
    return [line.plain for line in flowed(width, map(Content, _BETWEEN.split(text)), " ")]


def bands_that_fit(bands: int, lines_a_band: int, height: int) -> int:
    """Return how many of the bands of a chart are shown in so many lines: at least one."""
    return max(min(bands, height // lines_a_band), 1)


def listed(width: int, names: Sequence[str]) -> str:
    """Return ``Attn 0, FFN 3``; if not all names fit, the first ones and the total number."""
    whole = ", ".join(names)
    if len(whole) <= width:
        return whole
    ending = f"… {len(names)} in all"
    kept = ""
    for name in names:
        if len(kept) + len(name) + 2 + len(ending) > width:
            break
        kept += f"{name}, "
    return kept + ending
