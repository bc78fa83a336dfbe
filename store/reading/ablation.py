"""Each player of one group of results removed alone."""

from __future__ import annotations

from dataclasses import asdict

import duckdb

from core.summaries.summarize import ablation_points
from store.reading.answer import Found
from store.reading.gaps import left_out, no_ablation
from store.reading.groups import Group, read_values
from store.rows import AblationRow


def read_ablation(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> Found[AblationRow]:
    """Read each player's score and paired drop, over the documents that it and the intact model have."""
    values = read_values(db, group, value, longest=1)
    points = ablation_points(values.scores, values.choices, group.players, value)
    rows = [AblationRow(**group.heading, value=value, **asdict(point)) for point in points]
    return Found(rows, left_out(group, value, values), [] if rows else [no_ablation(group)])
