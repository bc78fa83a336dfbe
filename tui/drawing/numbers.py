"""Numbers as the explorer writes them: .479, 16.5%, 2:10, and a dash for a missing one."""

from __future__ import annotations

from core.summaries.points import CoalitionPoint

NONE = "–"


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


def between(low: float | None, high: float | None) -> str:
    """Return an interval such as ``.02 to .27``."""
    return NONE if low is None or high is None else f"{decimal(low, 2)} to {decimal(high, 2)}"


def percent(share: float | None) -> str:
    """Return a percentage such as ``16.5%``."""
    return NONE if share is None else f"{share:.1%}"


def percent_range(low: float | None, high: float | None) -> str:
    """Return an interval of percentages such as ``12.7–19.6``."""
    return NONE if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}"


def whole(number: float) -> str:
    """Return a whole number such as ``12 345``."""
    return f"{int(number):,}".replace(",", " ")


def clock(seconds: float | None) -> str:
    """Return a duration such as ``02:10`` or ``1:02:10``."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def margin(point: CoalitionPoint) -> float | None:
    """Return half of the interval's width, for places with room for one number."""
    if point.acc_low is None or point.acc_high is None:
        return None
    return (point.acc_high - point.acc_low) / 2


def at_most(bounds: bool) -> str:
    """Return the sign before a number that is only an upper bound, such as ``≤ 12`` for work that may end early."""
    return "≤ " if bounds else ""
