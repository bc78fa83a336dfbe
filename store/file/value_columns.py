"""One value of every outcome as the store has it: a metric that was recorded, or what the log-probabilities say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray
from core.values.derived import NO_GOLD, Integers, derive, gold_of, is_derived

_OWN_COLUMNS = frozenset({"acc", "acc_norm"})


@dataclass(frozen=True, slots=True)
class Answers:
    """What is right on each document: how many choices, and ``values.derived.gold_of``. Shapes are (documents,)."""

    choices: Integers
    gold: Integers

    @classmethod
    def of(cls, documents: Sequence[tuple[Sequence[int], int]]) -> Answers:
        """From each document's gold and how many choices it has."""
        choices = np.array([count for _, count in documents], dtype=np.int64)
        gold = np.array([gold_of(gold, count) for gold, count in documents], dtype=np.int64)
        return cls(choices, gold)

    def at(self, places: NDArray[np.intp]) -> Answers:
        """Those of the documents at ``places``, which may repeat."""
        return Answers(self.choices[places], self.gold[places])


@dataclass(frozen=True, slots=True)
class ValueColumns:
    """What to select of ``outcomes o`` for a value, ``parameters`` of that text, and how values come of it."""

    select: str
    parameters: tuple[object, ...]
    derived: str | None

    def values(self, rows: Mapping[str, Any], answers: Answers) -> FloatArray:
        """One value an outcome, NaN where there is none.

        Args:
            rows: the columns selected, each of shape (outcomes,).
            answers: of each outcome's document.
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
    """How a value is read.

    Args:
        value: one of ``mean_metrics`` or of ``core.values.derived.DERIVED``.
        mean_metrics: of the task.
        answers: of its documents.
    """
    if is_derived(value, mean_metrics):
        told = answers.choices[answers.gold != NO_GOLD]
        # A task may ask for more than its choices: their unconditional probabilities come after them.
        each = [f"o.logprobs[{at + 1}] AS logprob{at}" for at in range(int(told.max(initial=0)))]
        return ValueColumns(", ".join(each) or "0 AS nothing", (), value)
    if value in _OWN_COLUMNS:
        return ValueColumns(f"o.{value} AS value", (), None)
    return ValueColumns("CAST(json_extract(o.more, ?) AS DOUBLE) AS value", (f'$."{value}"',), None)


def _filled(column: Any) -> FloatArray:
    return np.asarray(np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan), dtype=np.float64)
