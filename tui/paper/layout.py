"""A table as text cells, before it is known where it is printed."""

from __future__ import annotations

from dataclasses import dataclass

from core.paper.resampling import Measured


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of cells under a heading, which may be empty."""

    heading: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PaperTable:
    """One table: ``key`` names it in files, ``notes`` say what was averaged before what. Nothing is escaped yet."""

    key: str
    title: str
    header: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


def percent(value: float | None) -> str:
    """One decimal, without the sign: headings say that these are percent."""
    return "" if value is None else f"{_zero(100 * value):.1f}"


def with_interval(measured: Measured | None) -> str:
    """``24.3 [20.1, 28.0]``; no bounds where there are none."""
    if measured is None:
        return "-"
    if measured.low is None or measured.high is None:
        return f"{percent(measured.estimate)} [no bounds]"
    return f"{percent(measured.estimate)} [{percent(measured.low)}, {percent(measured.high)}]"


def _zero(value: float) -> float:
    """Without the sign of a zero that comes of rounding."""
    return 0.0 if abs(value) < 0.05 else value
