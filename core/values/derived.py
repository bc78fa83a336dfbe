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
from core.values.corpus import lower_is_better

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


def gold_prob(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Return the probability of the right choice among the choices, from 0 to 1: accuracy's smooth sister.

    It is the softmax of the choices' log-probabilities.
    """
    return _probabilities(logprobs)[np.arange(len(gold)), gold]


def brier(logprobs: FloatArray, gold: Integers) -> FloatArray:
    """Return Brier's (1950) score, negated: minus the sum over choices of (p - 1[right])^2.

    It ranges from -2 (worst) to 0 (best). p is the softmax of the choices' log-probabilities.
    """
    p = _probabilities(logprobs)
    right = p[np.arange(len(gold)), gold]
    return np.asarray(2 * right - 1 - (p**2).sum(axis=1), dtype=np.float64)


def _probabilities(logprobs: FloatArray) -> FloatArray:
    """Return the softmax over the choices, shape (outcomes, choices), with 0 where a document lacks the choice."""
    odds = np.exp(logprobs - np.nanmax(logprobs, axis=1, keepdims=True))
    return np.asarray(np.where(np.isnan(logprobs), 0.0, odds) / np.nansum(odds, axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """A value that follows from the log-probabilities of a document's choices.

    Attributes:
        name: its name in options, files and tables.
        unit: its unit, for headings and axes.
        of: returns values, shape (outcomes,), from log-probabilities, shape (outcomes, choices), and the index of each
            outcome's right choice, shape (outcomes,). A log-probability is NaN if a document lacks the choice.
        per_character: whether ``of`` is given each log-probability divided by the number of characters of its choice,
            as lm-eval's acc_norm compares choices.
        bounds: the lowest and the highest value that there can be; None where there is no end.
    """

    name: str
    unit: str
    of: Callable[[FloatArray, Integers], FloatArray]
    per_character: bool = False
    bounds: tuple[float, float] | None = None


_OWN = (
    DerivedValue("gold_logprob", "nats", gold_logprob),
    DerivedValue("margin", "nats", margin),
    DerivedValue("brier", "negated Brier score", brier, bounds=(-2.0, 0.0)),
    DerivedValue("gold_logprob_norm", "nats per character", gold_logprob, per_character=True),
    DerivedValue("gold_prob", "probability", gold_prob, bounds=(0.0, 1.0)),
    DerivedValue("margin_norm", "nats per character", margin, per_character=True),
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


_FRACTIONS = frozenset({"exact_match", "f1"})
"""Further metrics of lm-eval that are from 0 to 1 on each document."""


def is_accuracy(value: str) -> bool:
    """Return whether a value is a fraction of right answers; lm-eval's names of such values begin with acc."""
    return value.startswith("acc")


def bounds_of(value: str, mean_metrics: Sequence[str]) -> tuple[float, float] | None:
    """Return the lowest and the highest that a value of a task with these metrics can be; None if that is not known."""
    if is_derived(value, mean_metrics):
        return derived_values()[value].bounds
    return (0.0, 1.0) if is_accuracy(value) or value in _FRACTIONS else None


def span_of(value: str, mean_metrics: Sequence[str]) -> float | None:
    """Return by how much two values may differ; None if there is no end. No contribution is further from 0."""
    bounds = bounds_of(value, mean_metrics)
    return None if bounds is None else bounds[1] - bounds[0]


def named(value: str) -> str:
    """Return a value's name for a heading or an axis, with its unit if known: ``gold_logprob, nats``.

    Where lower is better, it says so: ``bits_per_byte, lower is better``.
    """
    unit = "lower is better" if lower_is_better(value) else unit_of(value)
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


@dataclass(frozen=True, slots=True)
class Answers:
    """The answer keys of documents: how long their choices are, and which is right.

    Attributes:
        characters: the number of characters of each choice, shape (documents, choices); -1 where a document has fewer.
        gold: the index of each document's right choice, shape (documents,); ``NO_GOLD`` where it has no derived value.
    """

    characters: Integers
    gold: Integers

    @classmethod
    def of(cls, documents: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Answers:
        """Make the answer keys of documents from the right choices and the lengths of the choices of each."""
        most = max((len(lengths) for _, lengths in documents), default=0)
        characters = np.full((len(documents), most), -1, dtype=np.int64)
        for row, (_, lengths) in zip(characters, documents, strict=True):
            row[: len(lengths)] = lengths
        return cls(characters, np.array([gold_of(gold, len(lengths)) for gold, lengths in documents], dtype=np.int64))

    @property
    def choices(self) -> Integers:
        """The number of choices of each document, shape (documents,)."""
        return np.asarray((self.characters >= 0).sum(axis=1), dtype=np.int64)

    def at(self, places: NDArray[np.intp]) -> Answers:
        """Return the answer keys of the documents at these positions, which may repeat."""
        return Answers(self.characters[places], self.gold[places])


def lengths_of(choices: Sequence[str]) -> list[int]:
    """Return the number of characters of each choice."""
    return [len(choice) for choice in choices]


def derive(value: str, logprobs: FloatArray, answers: Answers) -> FloatArray:
    """Return one of ``derived_values()`` for each outcome, shape (outcomes,).

    The result is NaN where the answer key has ``NO_GOLD``. It may not be finite where a log-probability is not.

    Args:
        value: the name of the derived value.
        logprobs: natural logarithms, shape (outcomes, at least the most choices); what lies beyond a document's choices
            is not read.
        answers: the answer key of each outcome's document.
    """
    values = np.full(len(answers.gold), np.nan)
    has_gold = answers.gold != NO_GOLD
    if not has_gold.any():
        return values
    width = min(logprobs.shape[1], answers.characters.shape[1])
    characters = answers.characters[has_gold, :width]
    of_choices = np.where(characters >= 0, logprobs[has_gold, :width], np.nan)
    kind = derived_values()[value]
    # Minus infinity less minus infinity is NaN, which is the right result here.
    with np.errstate(invalid="ignore"):
        given = of_choices / np.maximum(characters, 1) if kind.per_character else of_choices
        values[has_gold] = kind.of(given, answers.gold[has_gold])
    return values
