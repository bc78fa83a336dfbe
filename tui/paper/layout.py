"""Tables as cells of text, before their output format is known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.paper.resampling import Measured
from core.values.derived import is_accuracy, unit_of
from tui.drawing.numbers import ends


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of cells under a heading, which may be empty."""

    heading: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of the report. ``key`` names it in files, and ``notes`` explain its numbers. Nothing is escaped yet."""

    key: str
    title: str
    header: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


UNBOUNDED = "[no bounds]"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of printed numbers, which are multiplied by ``factor`` and have ``decimals`` digits.

    ``score`` and ``drop`` are the names of the unit in headings.
    """

    score: str
    drop: str
    factor: float
    decimals: int

    def text(self, value: float | None) -> str:
        """Return a number alone; empty for None."""
        if value is None:
            return ""
        return self._written(value, self.decimals)

    def with_interval(self, measured: Measured | None) -> str:
        """Return ``24.3 [20.1, 28.0]``, or a text instead of the bounds if there are none."""
        if measured is None:
            return "-"
        if measured.low is None or measured.high is None:
            return f"{self.text(measured.estimate)} {UNBOUNDED}"
        low, high = ends(measured.low, measured.high, self._written, self.decimals)
        return f"{self.text(measured.estimate)} [{low}, {high}]"

    def _written(self, value: float, decimals: int) -> str:
        # Adding 0 removes the sign of a zero that was rounded.
        return f"{round(self.factor * value, decimals) + 0.0:.{decimals}f}"


PERCENT = Unit("%", "percentage points", 100.0, 1)
"""The unit of shares and accuracies."""


def unit_of_values(values: Collection[str]) -> Unit:
    """Return the unit of a table of these values."""
    if all(map(is_accuracy, values)):
        return PERCENT
    units = {unit_of(value) or f"in units of {value}" for value in values}
    name = units.pop() if len(units) == 1 else "each in its own unit"
    return Unit(name, name, 1.0, 3)


def percent(value: float | None) -> str:
    """Return a percentage with one decimal, without the % sign, which is in the heading."""
    return PERCENT.text(value)


def with_interval(measured: Measured | None) -> str:
    """Return a fraction and its interval in percent."""
    return PERCENT.with_interval(measured)
