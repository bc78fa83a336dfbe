"""Values of a game that follow from the choices' log-probabilities: they need no new evaluation. Larger is better.

A document has such a value where it offers at least two choices of which exactly one is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.statistics.intervals import FloatArray

Integers = NDArray[np.int64]

NO_GOLD = -1
"""Stands for the right choice of a document that has no such value."""


def gold_logprob(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """The natural logarithm of the right choice's probability (nats), summed over the tokens of its continuation."""
    return logprobs[np.arange(len(gold)), gold]


def margin(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """How far the right choice is above the best other one, in nats; below 0 where another is picked."""
    others = np.where(np.isnan(logprobs), -np.inf, logprobs)
    others[np.arange(len(gold)), gold] = -np.inf
    return np.asarray(gold_logprob(logprobs, gold) - others.max(axis=1), dtype=np.float64)


def brier(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Minus Brier's (1950) score: minus the sum over choices of (p - 1[right])^2, so 0 at best and -2 at worst.

    p is the softmax of the choices' log-probabilities.
    """
    odds = np.exp(logprobs - np.nanmax(logprobs, axis=1, keepdims=True))
    p = np.where(np.isnan(logprobs), 0.0, odds) / np.nansum(odds, axis=1, keepdims=True)
    right = p[np.arange(len(gold)), gold]
    return np.asarray(2 * right - 1 - (p**2).sum(axis=1), dtype=np.float64)


_DERIVED: Final[dict[str, Callable[[FloatArray, Integers], FloatArray]]] = {
    "gold_logprob": gold_logprob,
    "margin": margin,
    "brier": brier,
}
DERIVED: Final = tuple(_DERIVED)
_UNITS: Final = MappingProxyType({"gold_logprob": "nats", "margin": "nats", "brier": "negated Brier score"})


def is_accuracy(value: str) -> bool:
    """Whether a value is a part of documents answered right: lm-eval calls those acc..."""
    return value.startswith("acc")


def named(value: str) -> str:
    """A value's name for a heading or an axis, with its unit where that is known: ``gold_logprob, nats``."""
    unit = unit_of(value)
    return value if unit is None else f"{value}, {unit}"


def unit_of(value: str) -> str | None:
    """What a value that is derived is counted in; None of a task's own metric."""
    return _UNITS.get(value)


def is_derived(value: str, mean_metrics: Sequence[str]) -> bool:
    """Whether ``value`` is one of ``DERIVED``; a metric of the task's own that has its name comes first."""
    return value in _DERIVED and value not in mean_metrics


def gold_of(gold: Sequence[int], choices: int) -> int:
    """The right choice of a document, or ``NO_GOLD``: it has several, or there is nothing to choose from."""
    return gold[0] if len(gold) == 1 and choices > 1 else NO_GOLD


def derive(value: str, logprobs: FloatArray, gold: Integers) -> FloatArray:
    """One of ``DERIVED`` for each outcome, shape (outcomes,).

    It may not be finite where a log-probability that it reads is not, and is NaN where ``gold`` is ``NO_GOLD``.

    Args:
        value: its name.
        logprobs: natural logarithms, shape (outcomes, choices); NaN where a document has fewer choices than others.
        gold: index of each outcome's right choice, shape (outcomes,).
    """
    found = np.full(len(gold), np.nan)
    told = gold != NO_GOLD
    if told.any():
        # Minus infinity less minus infinity is no number, which is what is meant.
        with np.errstate(invalid="ignore"):
            found[told] = _DERIVED[value](logprobs[told], gold[told])
    return found
