"""Values of a corpus: ratios of sums over documents, as lm-eval gives the score of a rolling log-likelihood.

Lower is better. lm-eval hands each document's log-likelihood and weight (its words or bytes) to the metric, and they
are kept with the outcome, so these are lm-eval's own numbers. ``core.statistics.ratio`` makes the value of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from core.errors import CornerstoneError
from core.records.records import Metric
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio


@dataclass(frozen=True, slots=True)
class CorpusValue:
    """A value of a corpus.

    Attributes:
        name: its name, which is that of lm-eval's metric.
        meaning: what it is, in a sentence.
        per: what its loss, in nats, is divided by.
        exponential: whether the value is the exponential of the ratio, as in ``Ratio``.
    """

    name: str
    meaning: str
    per: float
    exponential: bool

    def gain(self, loglikelihood: FloatArray) -> FloatArray:
        """Return minus the losses of documents from their log-likelihoods in nats."""
        return loglikelihood / self.per

    def of_document(self, loglikelihood: float, weight: float) -> float | None:
        """Return the value of one document by itself; None if that is no finite number."""
        if not (math.isfinite(loglikelihood) and weight > 0):
            return None
        rate = -loglikelihood / self.per / weight
        if not self.exponential:
            return rate
        return math.exp(rate) if rate < math.log(np.finfo(np.float64).max) else None

    def ratio(self, weights: FloatArray) -> Ratio:
        """Return how the gains of documents of these weights make the value."""
        return Ratio(weights, self.exponential)


_BITS: Final = "Minus the sum of all documents' log-probabilities, in bits, divided by the sum of their bytes."
_PERPLEXITY: Final = (
    "The exponential of minus the sum of all documents' log-probabilities divided by the sum of their {}."
)

CORPUS_VALUES: Final[Mapping[str, CorpusValue]] = MappingProxyType(
    {
        value.name: value
        for value in (
            CorpusValue("bits_per_byte", _BITS, math.log(2), exponential=False),
            CorpusValue("byte_perplexity", _PERPLEXITY.format("bytes"), 1.0, exponential=True),
            CorpusValue("word_perplexity", _PERPLEXITY.format("words"), 1.0, exponential=True),
        )
    }
)
"""By the names of lm-eval's metrics. Perplexities come last, because they grow out of all bounds without a layer that
matters, and the first that a task has may be its own value."""


def corpus_values(other_metrics: Sequence[str]) -> tuple[str, ...]:
    """Return those of a task's metrics that are values of its corpus."""
    return tuple(name for name in CORPUS_VALUES if name in other_metrics)


def means_for_values(mean_metrics: Sequence[str]) -> tuple[str, ...]:
    """Return those of a task's metrics that are means and may be values.

    A name means one thing wherever a value is read, drawn or compared. So a mean under the name of a value of a corpus
    is kept with the outcomes, and is no value.
    """
    return tuple(name for name in mean_metrics if name not in CORPUS_VALUES)


def corpus_value(value: str) -> CorpusValue | None:
    """Return the value of a corpus of this name; None if it is none."""
    return CORPUS_VALUES.get(value)


def lower_is_better(value: str) -> bool:
    """Return whether a lower value of this name is better. Its drop says by how much it grows."""
    return value in CORPUS_VALUES


def refuse_corpus_value(value: str, what: str) -> None:
    """Refuse a value of a corpus for what needs a mean over documents.

    Raises:
        CornerstoneError: it is one; the message says that ``what`` needs a mean.
    """
    if corpus_value(value) is not None:
        raise CornerstoneError(f"{what} takes a mean over documents, and {value} is a ratio of sums over all of them")


def pair_of(found: Metric) -> tuple[float, float]:
    """Return log-likelihood and weight of an outcome's metric; not a number where it holds no such pair."""
    if isinstance(found, Sequence) and not isinstance(found, str) and len(found) == 2:
        loglikelihood, weight = found
        if isinstance(loglikelihood, int | float) and isinstance(weight, int | float) and weight > 0:
            return (float(loglikelihood) if math.isfinite(loglikelihood) else math.nan), float(weight)
    return math.nan, math.nan
