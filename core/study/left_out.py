"""Find outcomes that are no numbers, which are never stored or averaged, and say which coalitions have them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from core.coalitions.players import Removed, format_removed
from core.coalitions.schedules import INTACT
from core.records.records import HIGHEST_LOGPROB, Metric, ModelRecord, Outcome

_NAMED = 3
TRIED = 4
"""If the intact model gives no number for so many documents and none for any other, it gives none for all."""


def fault_of(outcome: Outcome) -> str | None:
    """Return what of an outcome is no number; None if it is sound.

    A log-probability of minus infinity says that a choice is impossible, which is sound. If every choice is, nothing
    tells them apart.
    """
    logprobs = outcome.logprobs
    if any(math.isnan(one) or one > HIGHEST_LOGPROB for one in logprobs) or (
        logprobs and all(map(math.isinf, logprobs))
    ):
        return "log-probabilities"
    for name, value in outcome.metrics.items():
        if not math.isfinite(value):
            return name
    return next((name for name, value in outcome.other.items() if _has_nan(value)), None)


def without_values(outcome: Outcome) -> Outcome:
    """Return an outcome that is no number as one of which it is only known that it was evaluated."""
    return replace(outcome, logprobs=(math.nan,) * len(outcome.logprobs), metrics={}, other={})


def _has_nan(value: Metric) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, list | tuple) and any(map(_has_nan, value))


class LeftOut:
    """The outcomes of one task that are no numbers so far."""

    def __init__(self, model: ModelRecord, task: str, documents: int) -> None:
        self._model = model
        self._task = task
        self._documents = documents
        self._found: defaultdict[Removed, set[str]] = defaultdict(set)
        self._what: dict[str, None] = {}
        self._intact_is_sound = False

    def __bool__(self) -> bool:
        return bool(self._found)

    def sound(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes that are numbers, and remember the others."""
        return self.parted(outcomes)[0]

    def parted(self, outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
        """Return the outcomes that are numbers, and the others, which are remembered."""
        kept, faulty = [], []
        for outcome in outcomes:
            what = fault_of(outcome)
            if what is None:
                kept.append(outcome)
                self._intact_is_sound |= outcome.removed == INTACT
            else:
                faulty.append(outcome)
                self._found[outcome.removed].add(outcome.document)
                self._what[what] = None
        return kept, faulty

    @property
    def no_intact(self) -> bool:
        """Whether the intact model gave no number for any of the documents tried, which are enough to tell."""
        tried = len(self._found.get(INTACT, ()))
        return not self._intact_is_sound and tried >= min(TRIED, self._documents)

    def of_the_model(self) -> str:
        """Say that the intact model itself gives no number."""
        return (
            f"{self._model.name} in {self._model.dtype} gives no number for {self._task}, even with all layers "
            f"({self._faults()}); its weights are damaged, or overflow in this precision"
        )

    def sentence(self) -> str:
        """Say which coalitions have no number, and for how many documents."""
        players = self._model.players
        first = sorted(self._found, key=lambda removed: (len(removed), removed))[:_NAMED]
        named = [
            f"{'nothing' if removed == INTACT else format_removed(removed, players)} removed: "
            f"{len(self._found[removed])} of {self._documents} documents"
            for removed in first
        ]
        more = len(self._found) - len(first)
        rest = f", and {more} more" if more else ""
        return (
            f"{self._model.name} gives no number for {self._task} ({self._faults()}) under "
            f"{len(self._found)} of the coalitions ({'; '.join(named)}{rest}); these outcomes are left out, the others "
            "are stored"
        )

    def _faults(self) -> str:
        return ", ".join(self._what)
