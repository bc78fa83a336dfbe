"""The rule for cornerstones and its verdicts, in the sentences that tables and screens share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from core.paper.cornerstones import COLLAPSE, DOMINANCE
from tui.drawing.plain import told_apart

if TYPE_CHECKING:
    from store.rows import CornerstoneRow

RULE = (
    "The rule, over the tasks on which the intact model is above chance: removing the layer alone loses at least "
    f"{COLLAPSE:.0%} of what the model has above chance, and its mean share is at least {DOMINANCE:g} times an even "
    "one."
)
VERDICTS = (
    "Sure: both lower bounds pass; likely: both estimates pass and its drop is above 0 (95%, all layers at once); "
    "open: more documents would tell."
)


def none_fits(verdicts: Sequence[str], *, counted: bool, chance: bool) -> str:
    """Return the reason why the rule names no layer.

    Args:
        verdicts: the verdicts on all players of a model.
        counted: whether the intact model is above chance on any task.
        chance: whether any task has a chance level.
    """
    undecided = sum(verdict == "open" for verdict in verdicts)
    if not chance:
        return "cannot be told: no chance level"
    if not counted:
        return "cannot be told: no task is known to be above chance"
    return f"none yet, {undecided} of {len(verdicts)} open" if undecided else "none fits the rule"


def answers(rows: Sequence[CornerstoneRow]) -> Iterator[str]:
    """Yield a sentence for each model: its cornerstones, and the tasks that they come from."""
    names = told_apart([(row.model, row.model_id) for row in rows])
    for model_id, name in names.items():
        own = [row for row in rows if row.model_id == model_id]
        found = [row for row in own if row.cornerstone in {"sure", "likely"}]
        found.sort(key=lambda row: -(row.share or 0.0))
        tasks = own[0].tasks
        named = ", ".join(f"{row.label} ({row.cornerstone})" for row in found)
        chance = not tasks or own[0].above is not None
        said = named or none_fits([row.cornerstone for row in own], counted=bool(tasks), chance=chance)
        over = f", over {', '.join(tasks)} ({own[0].value})" if tasks else ""
        yield f"Cornerstones of {name}: {said}{over}."
