"""Numbers as the explorer writes them: .479, 16.5%, 2:10, and a dash for a missing one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.machine.whole_number import whole
from core.summaries.points import CoalitionPoint

__all__ = [
    "NONE",
    "at_most",
    "between",
    "clock",
    "cost_text",
    "decimal",
    "ends",
    "in_range",
    "margin",
    "percent",
    "percent_range",
    "signed_between",
    "standard_error",
    "whole",
]

NONE = "–"
_MOST_PLACES = 6
"""An interval narrower than this many decimals show is written as one number."""
_LEAST_SHARE = 0.0005
"""A smaller share is 0.0 in percent."""


def decimal(value: float | None, places: int = 3) -> str:
    """Return ``.479``, ``-.021`` or ``1.000``; numbers from 10 on have four significant digits."""
    if value is None:
        return NONE
    if abs(value) >= 10:
        return f"{value:.4g}"
    text = f"{value:.{places}f}"
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    if not digits.strip("0."):
        sign = ""
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def cost_text(cost: float | None) -> str:
    """Return a number that a person gave with the digits that it has: ``.05``, ``-1.5``, ``2``."""
    if cost is None:
        return NONE
    text = f"{cost:.12g}"
    return text.replace("0.", ".", 1) if abs(cost) < 1 and "e" not in text else text


def between(low: float | None, high: float | None) -> str:
    """Return an interval such as ``.02 to .27``, with more decimals if its ends would look the same."""
    return NONE if low is None or high is None else " to ".join(ends(low, high, decimal, 2))


def in_range(numbers: Iterable[int]) -> str:
    """Return ``64``, or ``64 to 1 500`` where the numbers differ."""
    found = sorted(numbers)
    least, most = found[0], found[-1]
    return whole(least) if least == most else f"{whole(least)} to {whole(most)}"


def signed_between(low: float, high: float) -> str:
    """Return an interval of differences such as ``-0.021 to +0.270``, as ``between`` does."""
    return " to ".join(ends(low, high, lambda value, places: f"{value:+.{places}f}", 3))


def ends(low: float, high: float, written: Callable[[float, int], str], places: int) -> tuple[str, str]:
    """Return the ends of an interval as ``written`` with so many decimals, or with more if they would look the same."""
    for more in range(places, max(places, _MOST_PLACES) + 1):
        found = written(low, more), written(high, more)
        if float(found[0]) != float(found[1]):
            break
    return found


def standard_error(se: float | None, low: float | None, high: float | None) -> str:
    """Return a standard error; the interval where there is none, because all documents have the same score."""
    return between(low, high) if se is None else _above_zero(se, 3)


def percent(share: float | None) -> str:
    """Return a percentage such as ``16.5%``."""
    return NONE if share is None else f"{share:.1%}"


def percent_range(low: float | None, high: float | None) -> str:
    """Return an interval of percentages such as ``12.7–19.6``, or ``<0.1`` if both ends are nearly 0.

    It has more decimals if its ends would look the same otherwise.
    """
    if low is None or high is None:
        return NONE
    if low >= 0 and high < _LEAST_SHARE:
        return f"<{200 * _LEAST_SHARE:.1f}"
    return "–".join(ends(low, high, lambda value, places: f"{100 * value:.{places}f}", 1))


def clock(seconds: float | None) -> str:
    """Return a duration such as ``02:10`` or ``1:02:10``."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def rate_text(rate: float) -> str:
    """Return a number of outcomes a second, as exact as it was measured: ``128``, ``1.5`` or ``.04``."""
    if rate >= 10:
        return whole(round(rate))
    return decimal(rate, 1 if rate >= 1 else 2)


def span(seconds: float) -> str:
    """Return a duration in words, as exact as an estimate is: ``40 s``, ``12 min``, ``3 h 20 min`` or ``2.5 days``."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes / (24 * 60):.1f} days"


def margin(point: CoalitionPoint) -> str:
    """Return half of the interval's width, as in `` ±.04``, where there is room for one number; empty without one."""
    if point.acc_low is None or point.acc_high is None:
        return ""
    return f" ±{_above_zero((point.acc_high - point.acc_low) / 2, 2)}"


def _above_zero(value: float, places: int) -> str:
    """Return a number with so many decimals, or with as many more as it takes to tell it from 0."""
    while value > 0 and places < _MOST_PLACES and not float(decimal(value, places)):
        places += 1
    return decimal(value, places)


def at_most(bounds: bool) -> str:
    """Return the sign before a number that is only an upper bound, such as ``≤ 12`` for work that may end early."""
    return "≤ " if bounds else ""
