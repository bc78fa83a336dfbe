"""Read the intact model's score on each task: models by tasks."""

from __future__ import annotations

import duckdb

from core.coalitions.schedules import INTACT
from core.config.gap import Gap
from core.summaries.summarize import chance_of, coalition_point, evaluated_choices
from store.reading.answer import Found
from store.reading.gaps import gap_if_too_large, left_out
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.rows import ScoreRow


def read_score(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> Found[ScoreRow]:
    """Read the score of the intact model over all of its documents."""
    values = read_values(db, group, value, longest=0)
    found: Found[ScoreRow] = Found()
    point = None
    with gap_if_too_large(found.gaps, group.title):
        point = coalition_point(values.scores, INTACT, values.ratio)
    if point is None:
        found.gaps = found.gaps or [Gap(f"{group.title}: the intact model is not stored")]
        return found
    row = ScoreRow(
        **group.heading,
        value=value,
        n=point.n,
        score=point.acc,
        score_low=point.acc_low,
        score_high=point.acc_high,
        chance=chance_of(evaluated_choices(values.scores, values.choices, INTACT), value),
        players=len(group.players),
    )
    return Found([row], left_out(group, value, values))
