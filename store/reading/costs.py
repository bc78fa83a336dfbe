"""What is decided of the costs of a group's players: which lose more of a value than was asked about."""

from __future__ import annotations

import json

import duckdb

from core.coalitions.grouping import SUBLAYERS, grouping
from core.errors import CornerstoneError
from core.estimators.racing import stored_costs
from core.statistics.costs import CostRace, CostVerdicts
from core.values.raced import cost_race_by
from store.reading.groups import Group
from store.reading.pooled import Values


def costs_of(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, values: Values, cost: float | None
) -> CostVerdicts | None:
    """Return the verdicts on single removals.

    It is None where no cost is asked about, where the documents are no random sample of one task, or where the value is
    no mean over them.

    Args:
        db: the open store.
        group: the results.
        value: the value.
        values: the values of single removals.
        cost: the cost; None for that of the latest run of these results that asked about one.

    Raises:
        CornerstoneError: ``cost`` is one that no removal can have.
    """
    if group.draw is None or values.places is None or values.ratio is not None:
        return None
    race = _of_runs(db, group, value) if cost is None else cost_race_by(value, group.mean_metrics, cost)
    if race is None:
        return None
    return stored_costs(grouping(SUBLAYERS, group.players), values.scores, values.order(group.draw), race)


def _of_runs(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> CostRace | None:
    """Return the comparison that the latest run asked for; None if no run asked about a cost of this value."""
    rows = db.execute(
        """SELECT r.config FROM runs r JOIN assignments a ON a.run = r.run
        WHERE a.model = ? AND a.dataset = ? AND r.config LIKE '%until_cost%' ORDER BY r.started DESC, r.run""",
        [group.model, group.dataset],
    ).fetchall()
    for (config,) in rows:
        try:
            asked = json.loads(config)
            if asked.get("until_cost") is None or (asked.get("value") or group.own_value) != value:
                continue
            return cost_race_by(value, group.mean_metrics, float(asked["until_cost"]), float(asked["confidence"]))
        except (ValueError, TypeError, KeyError, AttributeError, CornerstoneError):
            continue  # another version of this program wrote it
    return None
