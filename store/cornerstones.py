"""The rule for cornerstones on a model's stored values, player by player."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from core.paper.cornerstones import cornerstones
from core.paper.resampling import resample
from core.paper.values import ModelValues
from store.paper import AUTHORS_VALUES, PaperSelection
from store.rows import CornerstoneRow


def cornerstone_rows(values: ModelValues, selection: PaperSelection) -> Iterator[CornerstoneRow]:
    """Every player's evidence and verdict."""
    for found in cornerstones(resample(values)).evidence:
        evidence = asdict(found)
        yield CornerstoneRow(
            model=values.model,
            model_id=values.model_id,
            value=selection.value or " or ".join(AUTHORS_VALUES),
            estimator=selection.estimator,
            max_removed=selection.max_removed,
            cornerstone=evidence.pop("verdict"),
            **evidence,
        )
