"""Apply the rule for cornerstones to a model's stored values, player by player."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from core.paper.cornerstones import DOMINANCE, Cornerstones, cornerstones
from core.paper.resampling import resample
from core.paper.values import ModelValues
from store.reading.answer import Found
from store.reading.paper import AUTHORS_VALUES, PaperSelection
from store.rows import CornerstoneRow


def judge(values: ModelValues, selection: PaperSelection) -> Found[CornerstoneRow]:
    """Return every player's evidence and verdict, and notes on the parts of the rule that cannot be judged."""
    found = cornerstones(resample(values))
    return Found(list(_rows(values, found, selection)), list(_doubts(values, found)))


def _rows(values: ModelValues, found: Cornerstones, selection: PaperSelection) -> Iterator[CornerstoneRow]:
    for each in found.evidence:
        evidence = asdict(each)
        yield CornerstoneRow(
            model=values.model,
            model_id=values.model_id,
            value=selection.value or " or ".join(AUTHORS_VALUES),
            estimator=selection.estimator,
            max_removed=selection.max_removed,
            layer=values.players[each.player].layer,
            kind=values.players[each.player].kind,
            cornerstone=evidence.pop("verdict"),
            **evidence,
        )


def _doubts(values: ModelValues, found: Cornerstones) -> Iterator[str]:
    if len(found.without_chance) == len(values.tasks):
        what = ", ".join(dict.fromkeys(task.value for task in values.tasks))
        yield (
            f"{values.model}: {what} has no chance level that a model could collapse to, so no layer is called a "
            f"cornerstone; no: its share is surely below {DOMINANCE:g} times an even one, open: it is not surely below"
        )
        return
    if found.without_chance:
        yield f"{values.model}: not counted, as there is no chance level: {', '.join(found.without_chance)}"
    if found.at_chance:
        yield f"{values.model}: not counted, as the intact model is not above chance: {', '.join(found.at_chance)}"
