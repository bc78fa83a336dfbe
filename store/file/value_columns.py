"""Read one value of every outcome from the store: a recorded metric, or a value derived from log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray
from core.values.derived import NO_GOLD, Integers, derive, gold_of, is_derived

OWN_COLUMNS: Final = frozenset({"acc", "acc_norm"})
"""The metrics that have a column each in ``outcomes``. The other metrics share the column ``more``, as JSON."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answer key of documents: the number of choices, and the right one (``values.derived.gold_of``).

    Both have shape (documents,).
    """

    choices: Integers
    gold: Integers

    @classmethod
    def of(cls, documents: Sequence[tuple[Sequence[int], int]]) -> Answers:
        """Make the answer key from each document's right choices and number of choices."""
        choices = np.array([count for _, count in documents], dtype=np.int64)
        gold = np.array([gold_of(gold, count) for gold, count in documents], dtype=np.int64)
        return cls(choices, gold)

    def at(self, places: NDArray[np.intp]) -> Answers:
        """Return the answers of the documents at these positions, which may repeat."""
        return Answers(self.choices[places], self.gold[places])


@dataclass(frozen=True, slots=True)
class ValueColumns:
    """The SQL that selects a value from ``outcomes o``, and how the value follows from the selected columns.

    ``parameters`` are those of the SQL. ``derived`` names a derived value, and is None for a metric.
    """

    select: str
    parameters: tuple[object, ...]
    derived: str | None

    def values(self, rows: Mapping[str, Any], answers: Answers) -> FloatArray:
        """Return the value of each outcome, NaN where it has none.

        Args:
            rows: the selected columns, each of shape (outcomes,).
            answers: the answer of each outcome's document.
        """
        if self.derived is None:
            return _filled(rows["value"])
        count = sum(1 for name in rows if name.startswith("logprob"))
        if count == 0:
            return np.full(len(answers.gold), np.nan)
        logprobs = np.column_stack([_filled(rows[f"logprob{at}"]) for at in range(count)])
        logprobs[np.arange(count) >= answers.choices[:, None]] = np.nan
        return derive(self.derived, logprobs, answers.gold)


def value_columns(value: str, mean_metrics: Sequence[str], answers: Answers) -> ValueColumns:
    """Return how to read a value.

    Args:
        value: one of ``mean_metrics`` or of ``core.values.derived.derived_values()``.
        mean_metrics: the metrics of the task that are means over documents.
        answers: the answers of the task's documents.
    """
    if is_derived(value, mean_metrics):
        counts = answers.choices[answers.gold != NO_GOLD]
        # A task may request more than its choices: their unconditional probabilities, which come after the choices.
        columns = [f"o.logprobs[{at + 1}] AS logprob{at}" for at in range(int(counts.max(initial=0)))]
        return ValueColumns(", ".join(columns) or "0 AS nothing", (), value)
    if value in OWN_COLUMNS:
        return ValueColumns(f"o.{value} AS value", (), None)
    return ValueColumns("CAST(json_extract(o.more, ?) AS DOUBLE) AS value", (f'$."{value}"',), None)


def _filled(column: Any) -> FloatArray:
    """Return a column as floats, with NaN for NULL."""
    return np.asarray(np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan), dtype=np.float64)
