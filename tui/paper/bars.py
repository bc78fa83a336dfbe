"""Draw Figures 2 and 6 as text: shares as bars, and Shapley values as columns by layer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from store.rows import ShapleyRow
from tui.drawing.plain import plain
from tui.paper.layout import percent

TOP = 4
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_RISE = 4
_AXIS = 8
# What is left of a label without its layer: Attn, or Attn b.
_DIGITS = re.compile(r"\d+")


def share_bars(rows: Sequence[ShapleyRow], title: str, width: int) -> str:
    """Draw the largest shares of one model and task with names, and the sum of all other shares.

    Args:
        rows: the rows of one model and task.
        title: the first line.
        width: the width in columns.
    """
    best = [row for row in sorted(rows, key=lambda row: row.rank)[:TOP] if row.share]
    if not best:
        return f"{title}\n  no player has a positive value, so there are no shares"
    others = len(rows) - len(best)
    rest = 1 - sum(row.share or 0.0 for row in best)
    named = [(row.label, row.share or 0.0, f"[{percent(row.share_low)}, {percent(row.share_high)}]") for row in best]
    lines = [*named, (f"{others} others", rest, "")]
    label = max(len(name) for name, _, _ in lines)
    room = max(width - label - 24, 8)
    longest = max(share for _, share, _ in lines)
    drawn = [
        f"  {plain(name):<{label}} {_bar(share / longest, room):<{room}} {percent(share):>5}% {between}".rstrip()
        for name, share, between in lines
    ]
    return "\n".join([title, *drawn])


def value_columns(rows: Sequence[ShapleyRow], title: str, width: int) -> str:
    """Draw Shapley values by layer, unclipped: a row of bars for each kind of player, on one scale.

    A layer without a player of a kind has a blank there. Players of one kind in a layer have a row each.

    Args:
        rows: the rows of one model and task, one per player.
        title: the first line.
        width: the width in columns; layers that do not fit continue below.
    """
    ordered = sorted(rows, key=lambda row: row.player)
    layers = max(row.layer or 0 for row in ordered) + 1
    series: dict[str, list[float]] = {}
    for row in ordered:
        series.setdefault(_DIGITS.sub("", row.label), [0.0] * layers)[row.layer or 0] = row.phi
    highest, lowest = max(0.0, *(row.phi for row in ordered)), min(0.0, *(row.phi for row in ordered))
    scale = max(highest, -lowest) or 1.0
    parts = [title]
    for kind, values in series.items():
        each = 2 if layers * 2 + _AXIS <= width else 1
        step = max((width - _AXIS) // each, 1)
        for start in range(0, layers, step):
            parts.append(_columns(values[start : start + step], start, kind, scale, each))
    return "\n".join(parts)


def _columns(values: Sequence[float], first: int, kind: str, scale: float, each: int) -> str:
    """Draw bars upwards in eighths of a line and downwards in halves, with the number of every fifth layer."""
    down = max((_halves(value, scale) for value in values), default=0)
    lines = []
    for row in range(_RISE, 0, -1):
        eighths = [round(max(value, 0.0) / scale * _RISE * 8) - (row - 1) * 8 for value in values]
        mark = _short(scale) if row == _RISE else plain(kind) if row == _RISE - 1 else "0" if row == 1 else ""
        lines.append(f"{mark:>{_AXIS - 2}} ▕" + "".join(_EIGHTHS[min(max(one, 0), 8)] * each for one in eighths))
    for row in range(-(-down // 2)):
        left = [_halves(value, scale) - 2 * row for value in values]
        cells = "".join((" " if one <= 0 else "▀" if one == 1 else "█") * each for one in left)
        lines.append(f"{_short(-(row + 1) / _RISE * scale):>{_AXIS - 2}} ▕{cells}")
    numbers = "".join(f"{at:<{5 * each}}" for at in range(first, first + len(values), 5))
    lines.append(" " * _AXIS + numbers[: max(len(values) * each, 1) + 2].rstrip())
    return "\n".join(line.rstrip() for line in lines)


def _short(value: float) -> str:
    """Return a number with three decimals, or fewer if the axis is too narrow, because values may exceed 1."""
    room = _AXIS - 2
    return next(
        (text for text in (f"{value:.{decimals}f}" for decimals in (3, 2, 1, 0)) if len(text) <= room), f"{value:.0e}"
    )


def _halves(value: float, scale: float) -> int:
    return round(max(-value, 0.0) / scale * _RISE * 2)


def _bar(part: float, room: int) -> str:
    whole, rest = divmod(round(part * room * 8), 8)
    return "█" * whole + ("" if rest == 0 else "▏▎▍▌▋▊▉"[rest - 1])
