"""Read one value of every outcome from the store: a recorded metric, a document's part of a corpus, or what derives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray
from core.values.corpus import CorpusValue, corpus_value
from core.values.derived import NO_GOLD, Answers, derive, is_derived

OWN_COLUMNS: Final = frozenset({"acc", "acc_norm"})
"""The metrics that have a column each in ``outcomes``. The other metrics share the column ``more``, as JSON."""


@dataclass(frozen=True, slots=True)
class ValueColumns:
    """The SQL that selects a value from ``outcomes o``, and how the value follows from the selected columns.

    ``parameters`` are those of the SQL. ``derived`` names a derived value, and is None for a metric. ``corpus`` is
    the value of a corpus, of which each outcome has a gain and each document a weight.
    """

    select: str
    parameters: tuple[object, ...]
    derived: str | None
    corpus: CorpusValue | None = None

    def values(self, rows: Mapping[str, Any], answers: Answers) -> FloatArray:
        """Return the value of each outcome, NaN where it has none.

        Args:
            rows: the selected columns, each of shape (outcomes,).
            answers: the answer of each outcome's document.
        """
        if self.corpus is not None:
            found = self.corpus.gain(_filled(rows["value"]))
            return np.where(np.isfinite(found) & (self.weights(rows) > 0), found, np.nan)
        if self.derived is None:
            return _filled(rows["value"])
        count = sum(1 for name in rows if name.startswith("logprob"))
        if count == 0:
            return np.full(len(answers.gold), np.nan)
        logprobs = np.column_stack([_filled(rows[f"logprob{at}"]) for at in range(count)])
        return derive(self.derived, logprobs, answers)

    def weights(self, rows: Mapping[str, Any]) -> FloatArray:
        """Return the weight of each outcome's document in its corpus, NaN where it has none."""
        return _filled(rows["weight"])

    def by_document(self, rows: Mapping[str, Any], places: NDArray[np.intp], documents: int) -> FloatArray | None:
        """Return the weights of documents, shape (documents,); None where they have none.

        Args:
            rows: the selected columns.
            places: the number of each row's document.
            documents: how many there are.
        """
        if self.corpus is None:
            return None
        weights, found = np.full(documents, np.nan), self.weights(rows)
        weights[places[found > 0]] = found[found > 0]
        return weights


def value_columns(value: str, mean_metrics: Sequence[str], answers: Answers) -> ValueColumns:
    """Return how to read a value.

    Args:
        value: one of ``mean_metrics``, of ``core.values.corpus`` or of ``core.values.derived.derived_values()``.
        mean_metrics: the metrics of the task that are means over documents.
        answers: the answers of the task's documents.
    """
    if is_derived(value, mean_metrics):
        counts = answers.choices[answers.gold != NO_GOLD]
        # A task may request more than its choices: their unconditional probabilities, which come after the choices.
        columns = [f"o.logprobs[{at + 1}] AS logprob{at}" for at in range(int(counts.max(initial=0)))]
        return ValueColumns(", ".join(columns) or "0 AS nothing", (), value)
    if (corpus := corpus_value(value)) is not None:
        pair = ", ".join(
            f"TRY_CAST(json_extract_string(o.other, '$.{value}[{at}]') AS DOUBLE) AS {name}"
            for at, name in enumerate(("value", "weight"))
        )
        return ValueColumns(pair, (), None, corpus)
    if value in OWN_COLUMNS:
        return ValueColumns(f"o.{value} AS value", (), None)
    return ValueColumns("CAST(json_extract(o.more, ?) AS DOUBLE) AS value", (f'$."{value}"',), None)


def _filled(column: Any) -> FloatArray:
    """Return a column as floats, with NaN for NULL."""
    return np.asarray(np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan), dtype=np.float64)
