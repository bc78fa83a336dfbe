"""Whether two evaluations of one document say the same: log-probabilities and metrics, but for ties."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from core.records.records import Outcome

TOLERANCE = 1e-3, 1e-4
"""Largest difference of a log-probability, absolute and relative to its size: whichever is larger counts."""


def _pairs(ours: Outcome, theirs: Outcome) -> Iterator[tuple[float, float]]:
    yield from zip(ours.logprobs, theirs.logprobs, strict=True)


def difference(ours: Outcome, theirs: Outcome) -> float:
    """The largest of a log-probability; infinite where one is no number, which compares with nothing."""
    return max(_apart(a, b) for a, b in _pairs(ours, theirs))


def _apart(a: float, b: float) -> float:
    return 0.0 if a == b else math.inf if math.isnan(a - b) else abs(a - b)


def same(ours: Outcome, theirs: Outcome, choices: Sequence[str]) -> bool:
    """Log-probabilities within the tolerance, and every metric the same but for ties within it."""
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
    """Whether the best two choices, each over its length as lm-eval has it, are closer than the tolerance tells."""
    # A task may ask for more than its choices, their likelihood without context say: that comes after them.
    scored = sorted(
        (
            (logprob / length, _allowed(logprob) / length)
            for logprob, length in zip(outcome.logprobs, lengths, strict=False)
        ),
        reverse=True,
    )
    return len(scored) > 1 and scored[0][0] - scored[1][0] <= scored[0][1] + scored[1][1]
