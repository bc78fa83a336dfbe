"""Values of a game that follow from the log-probabilities of the choices, without a new evaluation.

Larger is better.

A document has such a value if it offers at least two choices and exactly one of them is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.errors import CornerstoneError
from core.plugins import contributed
from core.statistics.intervals import FloatArray

Integers = NDArray[np.int64]

NO_GOLD = -1
"""Stands in place of the right choice if a document has no derived value."""


def gold_logprob(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Return the log-probability of the right choice (natural, in nats), summed over the tokens of its continuation."""
    return logprobs[np.arange(len(gold)), gold]


def margin(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Return how far the right choice is above the best other one, in nats; negative if another choice is preferred."""
    others = np.where(np.isnan(logprobs), -np.inf, logprobs)
    others[np.arange(len(gold)), gold] = -np.inf
    return np.asarray(gold_logprob(logprobs, gold) - others.max(axis=1), dtype=np.float64)


def brier(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Return Brier's (1950) score, negated: minus the sum over choices of (p - 1[right])^2.

    It ranges from -2 (worst) to 0 (best). p is the softmax of the choices' log-probabilities.
    """
    odds = np.exp(logprobs - np.nanmax(logprobs, axis=1, keepdims=True))
    p = np.where(np.isnan(logprobs), 0.0, odds) / np.nansum(odds, axis=1, keepdims=True)
    right = p[np.arange(len(gold)), gold]
    return np.asarray(2 * right - 1 - (p**2).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """A value that follows from the log-probabilities of a document's choices.

    Attributes:
        name: its name in options, files and tables.
        unit: its unit, for headings and axes.
        of: returns values, shape (outcomes,), from log-probabilities, shape (outcomes, choices), and the index of each
            outcome's right choice, shape (outcomes,). A log-probability is NaN if a document lacks the choice.
    """

    name: str
    unit: str
    of: Callable[[FloatArray, Integers], FloatArray]


_OWN = (
    DerivedValue("gold_logprob", "nats", gold_logprob),
    DerivedValue("margin", "nats", margin),
    DerivedValue("brier", "negated Brier score", brier),
)


@cache
def derived_values() -> Mapping[str, DerivedValue]:
    """Return every derived value by its name: our own, then those of plugins.

    Raises:
        CornerstoneError: a plugin adds something that is no derived value, or that another one has the name of.
    """
    found: dict[str, DerivedValue] = {}
    for each in (*_OWN, *contributed("values")):
        if not isinstance(each, DerivedValue):
            raise CornerstoneError(f"a plugin adds {each!r} to the values, which is no DerivedValue")
        if each.name in found:
            raise CornerstoneError(f"two values are named {each.name!r}; a plugin has to rename its own")
        found[each.name] = each
    return MappingProxyType(found)


def is_accuracy(value: str) -> bool:
    """Return whether a value is a fraction of right answers; lm-eval's names of such values begin with acc."""
    return value.startswith("acc")


def named(value: str) -> str:
    """Return a value's name for a heading or an axis, with its unit if known: ``gold_logprob, nats``."""
    unit = unit_of(value)
    return value if unit is None else f"{value}, {unit}"


def unit_of(value: str) -> str | None:
    """Return the unit of a derived value; None for a task's own metric."""
    return known.unit if (known := derived_values().get(value)) is not None else None


def is_derived(value: str, mean_metrics: Sequence[str]) -> bool:
    """Return whether ``value`` is derived. A metric of the task with the same name takes precedence."""
    return value in derived_values() and value not in mean_metrics


def gold_of(gold: Sequence[int], choices: int) -> int:
    """Return the right choice of a document.

    It is ``NO_GOLD`` if not exactly one choice is right, or if there are fewer than two choices.
    """
    return gold[0] if len(gold) == 1 and choices > 1 else NO_GOLD


def derive(value: str, logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Return one of ``derived_values()`` for each outcome, shape (outcomes,).

    The result is NaN where ``gold`` is ``NO_GOLD``. It may not be finite where a log-probability is not.

    Args:
        value: the name of the derived value.
        logprobs: natural logarithms, shape (outcomes, choices); NaN where a document has fewer choices than others.
        gold: index of each outcome's right choice, shape (outcomes,).
    """
    values = np.full(len(gold), np.nan)
    has_gold = gold != NO_GOLD
    if has_gold.any():
        # Minus infinity less minus infinity is NaN, which is the right result here.
        with np.errstate(invalid="ignore"):
            values[has_gold] = derived_values()[value].of(logprobs[has_gold], gold[has_gold])
    return values
