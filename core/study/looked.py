"""Tell what a look at a phase's values found, as an event with the names of its units."""

from __future__ import annotations

from collections.abc import Sequence

from core.statistics.costs import CostVerdicts
from core.statistics.verdicts import Verdicts
from core.study.events import CostLooked, CostVerdict, Phase, TopLooked, TopVerdict


def looked(
    found: Verdicts | CostVerdicts, labels: Sequence[str], phase: Phase, *, final: bool
) -> TopLooked | CostLooked:
    """Return the event.

    Args:
        found: the verdicts.
        labels: the names of the units.
        phase: whose units they are.
        final: whether the phase ends.
    """
    if isinstance(found, CostVerdicts):
        return CostLooked(phase, _cost(found, labels, phase, final=final))
    return TopLooked(phase, _top(found, labels, phase, final=final))


def _top(found: Verdicts, labels: Sequence[str], phase: Phase, *, final: bool) -> TopVerdict:
    undecided = found.units("open")
    ahead = [unit for unit in found.leaders if unit in undecided]
    behind = [unit for unit in undecided if unit not in ahead]
    return TopVerdict(
        schedule=phase.schedule,
        task=phase.task.name,
        k=found.k,
        confidence=found.confidence,
        documents=max(found.documents[unit] for unit in undecided or range(len(labels))),
        asked=phase.documents,
        size=phase.data.size,
        inside=tuple(labels[unit] for unit in found.leaders if unit not in undecided),
        undecided=tuple(labels[unit] for unit in (*ahead, *behind)),
        out=len(found.units("out")),
        more=found.more_documents,
        final=final,
    )


def _cost(found: CostVerdicts, labels: Sequence[str], phase: Phase, *, final: bool) -> CostVerdict:
    def costliest(units: Sequence[int]) -> tuple[str, ...]:
        return tuple(labels[unit] for unit in sorted(units, key=lambda unit: (-found.means[unit], unit)))

    undecided = found.units("open")
    return CostVerdict(
        schedule=phase.schedule,
        task=phase.task.name,
        cost=found.cost,
        confidence=found.confidence,
        documents=max(found.documents[unit] for unit in undecided or range(len(labels))),
        asked=phase.documents,
        size=phase.data.size,
        above=costliest(found.units("above")),
        undecided=costliest(undecided),
        below=len(found.units("below")),
        more=found.more_documents,
        final=final,
    )
