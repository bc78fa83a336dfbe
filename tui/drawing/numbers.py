"""Numbers as the explorer writes them: .479, 16.5%, 2:10; a dash where there is none."""

from __future__ import annotations

from core.summaries.points import CoalitionPoint

NONE = "–"


def decimal(value: float | None, places: int = 3) -> str:
    """``.479``, ``-.021``, ``1.000``; four digits for what is 10 or more."""
    if value is None:
        return NONE
    if abs(value) >= 10:
        return f"{value:.4g}"
    text = f"{value:.{places}f}"
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    if not digits.strip("0."):
        sign = ""
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def between(low: float | None, high: float | None, places: int = 2) -> str:
    """``.02 to .27``."""
    return NONE if low is None or high is None else f"{decimal(low, places)} to {decimal(high, places)}"


def percent(share: float | None) -> str:
    """``16.5%``."""
    return NONE if share is None else f"{share:.1%}"


def percent_range(low: float | None, high: float | None) -> str:
    """``12.7–19.6``, of percent."""
    return NONE if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}"


def whole(number: float) -> str:
    """``12 345``."""
    return f"{int(number):,}".replace(",", " ")


def clock(seconds: float | None) -> str:
    """``02:10`` or ``1:02:10``."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def margin(point: CoalitionPoint) -> float | None:
    """Half of the interval's width, for where there is room for one number."""
    if point.acc_low is None or point.acc_high is None:
        return None
    return (point.acc_high - point.acc_low) / 2


def at_most(bounds: bool) -> str:
    """What stands before a figure that is only a bound, as of work which may end early: ``≤ 12``."""
    return "≤ " if bounds else ""
