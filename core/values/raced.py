"""Race units by a value: what is known of its range bounds the contributions."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import CornerstoneError
from core.statistics.costs import CostRace
from core.statistics.intervals import CONFIDENCE
from core.statistics.verdicts import TOP, Race
from core.values.derived import span_of


def race_by(value: str, mean_metrics: Sequence[str], k: int = TOP, confidence: float = CONFIDENCE) -> Race:
    """Return a race for the k largest units by a value of a task with these metrics that are means."""
    return Race(k, confidence, span_of(value, mean_metrics))


def cost_race_by(value: str, mean_metrics: Sequence[str], cost: float, confidence: float = CONFIDENCE) -> CostRace:
    """Return a comparison of units with a cost, in units of a value of a task with these metrics that are means.

    Raises:
        CornerstoneError: no removal can cost so much of this value.
    """
    span = span_of(value, mean_metrics)
    if span is not None and abs(cost) >= span:
        raise CornerstoneError(f"a cost of {cost:g} cannot be asked about: {value} changes by {span:g} at most")
    return CostRace(cost, confidence, span)
