"""The scale of scores in a chart: which row, or which dot of a row, a score has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tui.drawing.canvas import DOWN
from tui.drawing.numbers import decimal

_STEP: Final = 0.05
_STEPS: Final = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """Scores from ``high`` in the middle of the first row down to ``low`` in the middle of the last one.

    With ``edges`` they go from the first dot of the first row to the last dot of the last one.
    """

    low: float
    high: float
    rows: int
    edges: bool = False

    def row(self, score: float) -> int:
        """Return the row of a score; those beyond an end have that end's."""
        return min(max(math.floor(self._down(score) + 0.5), 0), self.rows - 1)

    def dot(self, score: float) -> int:
        """Return the dot of a score, counted from the top of the first row."""
        down = math.floor((self._down(score) + 0.5) * DOWN + 1e-9)
        return min(max(down, 0), DOWN * self.rows - 1)

    @property
    def named(self) -> dict[int, str]:
        """Return the scores that are written, by row: at equal distances, each in the middle of its row.

        Between edges, round numbers are written, in the rows that hold them.
        """
        if self.edges:
            return {self.row(score): decimal(score, 2) for score in self._round_scores()}
        if self.rows < 2:
            return {}
        parts = next(parts for parts in (4, 2, 1) if (self.rows - 1) % parts == 0)
        scores = [self.low + (self.high - self.low) * part / parts for part in range(parts + 1)]
        whole = (self.low, self.high) == (0, 1)
        return {self.row(score): f"{score:.0f}" if whole and score in {0, 1} else decimal(score, 2) for score in scores}

    def _round_scores(self) -> Iterator[float]:
        wanted = (self.high - self.low) / max(self.rows / 2, 2)
        step = next((step for step in _STEPS if step >= wanted), wanted)
        for at in range(math.ceil(self.low / step), math.floor(self.high / step) + 1):
            yield at * step

    def _down(self, score: float) -> float:
        """Return how many rows a score is below the middle of the first one."""
        part = (self.high - score) / (self.high - self.low)
        if self.edges:
            return part * (self.rows - 1 / DOWN) + 0.5 / DOWN - 0.5
        return part * (self.rows - 1)


def scale_of(scores: Iterable[float], rows: int, *, close: bool = False) -> ScoreScale:
    """Return a scale that holds all scores.

    Args:
        scores: the scores and what else is drawn.
        rows: the number of rows.
        close: do not begin at 0 and end at 1 where all scores are between, but near the scores.
    """
    known = list(scores)
    low, high = min(known), max(known)
    if low >= 0 and high <= 1:
        if not close:
            return ScoreScale(0.0, 1.0, rows)
        low, high = max(math.floor(low / _STEP) * _STEP, 0.0), min(math.ceil(high / _STEP) * _STEP, 1.0)
    if high - low < _STEP:
        low, high = low - _STEP, high + _STEP
    return ScoreScale(low, high, rows, edges=close)
