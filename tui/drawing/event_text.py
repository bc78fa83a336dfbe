"""Sentences on the events of a study, for the command line and the explorer."""

from __future__ import annotations

from core.study.events import TopVerdict

MEMORY_SHORT = "memory was short; the sweep goes on in smaller chunks"

_LISTED = 8


def verdict_text(verdict: TopVerdict) -> str:
    """Return a sentence on whether the top units are decided, and if not, how many more documents are needed."""
    said = f"{verdict.schedule} on {verdict.task}: top {verdict.k}"
    if not verdict.undecided:
        return (
            f"{said} decided at {verdict.confidence:.0%}: {', '.join(verdict.top)}, after {verdict.documents} of "
            f"{verdict.asked} documents"
        )
    others = verdict.undecided[:_LISTED]
    rest = f" and {len(verdict.undecided) - len(others)} more" if len(verdict.undecided) > len(others) else ""
    sure = [label for label in verdict.top if label not in verdict.undecided]
    certain = f"{', '.join(sure)} for sure, " if sure else ""
    return (
        f"{said} at {verdict.confidence:.0%} after {verdict.documents} documents: {certain}undecided between these: "
        f"{', '.join(others)}{rest}; {_needed(verdict)}"
    )


def _needed(verdict: TopVerdict) -> str:
    if verdict.more is None:
        return "no number of documents in sight would tell them apart"
    too_many = verdict.documents + verdict.more > verdict.size
    beyond = f", and the task has {verdict.size} in all" if too_many else ""
    return f"about {verdict.more} more documents would be needed{beyond}"
