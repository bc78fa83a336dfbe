"""Compare two evaluations of one document: log-probabilities and metrics, except for ties."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from core.records.records import Outcome

TOLERANCE = 1e-3, 1e-4
"""Largest allowed difference of a log-probability, absolute and relative to its size; the larger one applies."""


class Comparison:
    """Compares two evaluations of the same documents, one document after the other.

    Attributes:
        equal: whether all outcomes are the same, as ``same`` tells.
        documents: how many were compared.
        differ: how many of them have another metric.
    """

    def __init__(self) -> None:
        self.equal, self.documents, self.differ = True, 0, 0
        self._apart: list[float] = []

    def add(self, ours: Outcome, theirs: Outcome, choices: Sequence[str]) -> None:
        """Compare one document, which has these choices."""
        self.documents += 1
        self.equal = self.equal and same(ours, theirs, choices)
        self.differ += any(ours.metrics[name] != score for name, score in theirs.metrics.items())
        self._apart += [_apart(a, b) for a, b in _pairs(ours, theirs)]

    @property
    def largest(self) -> float | None:
        """The largest difference of a log-probability; None if one is not finite."""
        return _finite(max(self._apart))

    @property
    def median(self) -> float | None:
        """The median difference of a log-probability; None if it is not finite."""
        return _finite(statistics.median(self._apart))


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _pairs(ours: Outcome, theirs: Outcome) -> Iterator[tuple[float, float]]:
    yield from zip(ours.logprobs, theirs.logprobs, strict=True)


def _apart(a: float, b: float) -> float:
    """Return the absolute difference of two numbers; infinite if it is undefined."""
    return 0.0 if a == b else math.inf if math.isnan(a - b) else abs(a - b)


def same(ours: Outcome, theirs: Outcome, choices: Sequence[str]) -> bool:
    """Return whether log-probabilities agree within the tolerance, and metrics exactly, except for ties within it."""
    if any(not _alike(a, b) for a, b in _pairs(ours, theirs)):
        return False
    lengths = [max(len(choice), 1) for choice in choices]
    ties = {"acc": _ties(theirs, [1] * len(lengths)), "acc_norm": _ties(theirs, lengths)}
    return all(ties.get(name, False) or ours.metrics[name] == score for name, score in theirs.metrics.items())


def _alike(a: float, b: float) -> bool:
    apart = _apart(a, b)
    return math.isfinite(apart) and apart <= _allowed(b)


def _allowed(logprob: float) -> float:
    return max(TOLERANCE[0], TOLERANCE[1] * abs(logprob))


def _ties(outcome: Outcome, lengths: Sequence[int]) -> bool:
    """Return whether the best two choices differ by no more than the tolerance.

    Each is divided by its length, as lm-eval does.
    """
    # A task may request more than its choices, such as their likelihood without context. These come after the choices.
    scored = sorted(
        (
            (logprob / length, _allowed(logprob) / length)
            for logprob, length in zip(outcome.logprobs, lengths, strict=False)
        ),
        reverse=True,
    )
    return len(scored) > 1 and scored[0][0] - scored[1][0] <= scored[0][1] + scored[1][1]
