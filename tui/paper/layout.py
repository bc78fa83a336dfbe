"""A table as text cells, before it is known where it is printed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.paper.resampling import Measured
from core.values.derived import is_accuracy, unit_of


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


UNBOUNDED = "[no bounds]"


@dataclass(frozen=True, slots=True)
class Unit:
    """How numbers are printed: times ``factor``, with so many ``decimals``; headings say ``score`` or ``drop``."""

    score: str
    drop: str
    factor: float
    decimals: int

    def text(self, value: float | None) -> str:
        """A number alone; empty where there is none."""
        if value is None:
            return ""
        # Adding 0 takes the sign of a zero that comes of rounding.
        return f"{round(self.factor * value, self.decimals) + 0.0:.{self.decimals}f}"

    def with_interval(self, measured: Measured | None) -> str:
        """``24.3 [20.1, 28.0]``; no bounds where there are none."""
        if measured is None:
            return "-"
        if measured.low is None or measured.high is None:
            return f"{self.text(measured.estimate)} {UNBOUNDED}"
        return f"{self.text(measured.estimate)} [{self.text(measured.low)}, {self.text(measured.high)}]"


PERCENT = Unit("%", "percentage points", 100.0, 1)
"""Of shares and accuracies."""


def unit_of_values(values: Collection[str]) -> Unit:
    """The unit that a table of these values has."""
    if all(map(is_accuracy, values)):
        return PERCENT
    units = {unit_of(value) or f"in units of {value}" for value in values}
    name = units.pop() if len(units) == 1 else "each in its own unit"
    return Unit(name, name, 1.0, 3)


def percent(value: float | None) -> str:
    """One decimal, without the sign: headings say that these are percent."""
    return PERCENT.text(value)


def with_interval(measured: Measured | None) -> str:
    """A part of a whole, in percent."""
    return PERCENT.with_interval(measured)
