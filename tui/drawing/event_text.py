"""Events of a study in words."""

from __future__ import annotations

from core.study.events import CostVerdict, DocumentsSkipped, TopVerdict
from tui.drawing.numbers import cost_text, whole
from tui.drawing.plain import counted

MEMORY_SHORT = "memory was short; the sweep goes on in smaller chunks"

_LISTED = 8


def verdict_text(verdict: TopVerdict | CostVerdict) -> str:
    """Return a sentence on which units are decided, which are open, and how many more documents would decide those."""
    return _cost_text(verdict) if isinstance(verdict, CostVerdict) else _top_text(verdict)


def _top_text(verdict: TopVerdict) -> str:
    said = f"{verdict.schedule} on {verdict.task}: top {verdict.k}"
    if not verdict.undecided:
        return (
            f"{said} decided at {verdict.confidence:.0%}: {', '.join(verdict.inside)}, after {verdict.documents} of "
            f"{verdict.asked} documents"
        )
    parts = (_inside(verdict.inside), _undecided(verdict), _out(verdict.out), _needed(verdict))
    after = counted(verdict.documents, "document")
    return f"{said} at {verdict.confidence:.0%} after {after}: {'; '.join(filter(None, parts))}"


def _cost_text(verdict: CostVerdict) -> str:
    cost = cost_text(verdict.cost)
    said = f"{verdict.schedule} on {verdict.task}: cost {cost}"
    if not verdict.undecided:
        above = _listed(verdict.above, len(verdict.above)) or "none"
        return (
            f"{said} decided at {verdict.confidence:.0%}: above it {above}, below it {whole(verdict.below)}, after "
            f"{whole(verdict.documents)} of {whole(verdict.asked)} documents"
        )
    parts = (
        f"above it {_listed(verdict.above, len(verdict.above))}" if verdict.above else "",
        f"{whole(len(verdict.undecided))} open: {_listed(verdict.undecided, _LISTED)}",
        f"{whole(verdict.below)} below it" if verdict.below else "",
        _needed(verdict),
    )
    after = counted(verdict.documents, "document")
    return f"{said} at {verdict.confidence:.0%} after {after}: {'; '.join(filter(None, parts))}"


def standings_text(verdict: TopVerdict | CostVerdict) -> str:
    """Return how many units are decided and open, for a line of progress: ``2 in, 52 out, 6 open``."""
    if isinstance(verdict, CostVerdict):
        return f"{len(verdict.above)} above, {verdict.below} below, {len(verdict.undecided)} open"
    return f"{len(verdict.inside)} in, {verdict.out} out, {len(verdict.undecided)} open"


def skipped_text(skipped: DocumentsSkipped) -> str:
    """Return a sentence on documents that are skipped."""
    name = f"{skipped.phase.schedule} on {skipped.phase.task.name}"
    return f"{name}: {counted(skipped.documents, 'document')} skipped, because every attempt failed: {skipped.why}"


def _inside(labels: tuple[str, ...]) -> str:
    if not labels:
        return ""
    *others, last = labels
    return f"{', '.join(others)} and {last} are in" if others else f"{last} is in"


def _undecided(verdict: TopVerdict) -> str:
    """Return who may still take the open places."""
    names = _listed(verdict.undecided, _LISTED)
    places = verdict.k - len(verdict.inside)
    last = "the last place is" if verdict.inside else "the place is"
    return f"{last if places == 1 else f'{places} places are'} open between {len(verdict.undecided)}: {names}"


def _listed(labels: tuple[str, ...], most: int) -> str:
    rest = len(labels) - most
    return ", ".join(labels[:most]) + (f" and {rest} more" if rest > 0 else "")


def _out(number: int) -> str:
    return f"{number} {'is' if number == 1 else 'are'} out" if number else ""


def _needed(verdict: TopVerdict | CostVerdict) -> str:
    if verdict.more is None:
        return "no number of documents in sight would tell them apart"
    too_many = verdict.documents + verdict.more > verdict.size
    beyond = f", and the task has {verdict.size} in all" if too_many else ""
    return f"about {counted(verdict.more, 'more document')} would be needed{beyond}"
