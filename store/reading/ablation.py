"""Each player of one group of results removed alone."""

from __future__ import annotations

from dataclasses import asdict

import duckdb

from core.summaries.summarize import ablation_points
from store.reading.answer import Found
from store.reading.costs import costs_of
from store.reading.gaps import gap_if_too_large, left_out, no_ablation
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.rows import AblationRow


def read_ablation(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, cost: float | None = None
) -> Found[AblationRow]:
    """Read each player's score and paired drop, over the documents that it and the intact model have.

    Raises:
        CornerstoneError: no removal can cost as much as ``cost``.
    """
    values = read_values(db, group, value, longest=1)
    found: Found[AblationRow] = Found(notes=left_out(group, value, values))
    with gap_if_too_large(found.gaps, group.title):
        costs = costs_of(db, group, value, values, cost)
        points = ablation_points(values.scores, values.choices, group.players, value, values.ratio, costs)
        found.rows += [AblationRow(**group.heading, value=value, **asdict(point)) for point in points]
    if not found.rows and not found.gaps:
        found.gaps.append(no_ablation(group))
    return found
