"""Read every stored coalition of one group of results, and every outcome."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from core.coalitions.players import Removed, format_removed
from core.config.gap import Gap
from core.estimators.question import Scores
from core.statistics.ratio import Ratio
from core.summaries.points import CoalitionPoint
from core.summaries.summarize import coalition_point
from store.file.written_text import written_in
from store.reading.answer import Found
from store.reading.gaps import gap_if_too_large, left_out
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.rows import CoalitionRow, OutcomeRow

_BATCH = 10_000


def read_coalitions(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> Found[CoalitionRow]:
    """Read every coalition; its score is None if the group does not have ``value``."""
    if group.parts:
        values = read_values(db, group, value, len(group.players))
        norms = read_values(db, group, "acc_norm", len(group.players)).scores if "acc_norm" in group.values else {}
        return Found(list(_whole_rows(group, value, values.scores, norms)), left_out(group, value, values))
    if value not in group.values:
        return _read(db, group, value, {}, None)
    values = read_values(db, group, value, len(group.players))
    found = _read(db, group, value, values.scores, values.ratio)
    found.notes += left_out(group, value, values)
    return found


def _whole_rows(group: Group, value: str, scores: Scores, norms: Scores) -> Iterator[CoalitionRow]:
    """Yield the coalitions of a group of tasks, under which each of its tasks was evaluated."""
    for removed in sorted(scores, key=lambda one: (len(one), one)):
        point, norm = coalition_point(scores, removed), coalition_point(norms, removed)
        if point is not None:
            yield _row(group, value, removed, point, point.n, None if norm is None else norm.acc)


def _read(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, scores: Scores, ratio: Ratio | None
) -> Found[CoalitionRow]:
    """Read the coalitions of one task. Those whose score is too large have None, and a gap."""
    found: Found[CoalitionRow] = Found()
    too_large: list[Gap] = []
    outcomes, parameters = group.outcomes
    rows = db.execute(
        f"""SELECT c.removed, count(*), avg(o.acc_norm),
            avg(o.acc_norm) FILTER (WHERE o.document IN (SELECT o.document {outcomes} AND len(c.removed) = 0))
        {outcomes} GROUP BY c.removed ORDER BY len(c.removed), c.removed""",
        [*parameters, *parameters],
    ).fetchall()
    for numbers, stored, norm, norm_of_both in rows:
        removed = tuple(numbers)
        point = None
        what = f"{group.title}, {format_removed(removed, group.players)}"
        with gap_if_too_large(too_large, what):
            point = coalition_point(scores, removed, ratio)
        n = point.n if point is not None else stored if value == group.own_value else 0
        compared = point is not None and point.intact_acc is not None
        found.rows.append(_row(group, value, removed, point, n, norm_of_both if compared else norm))
    if len(too_large) > 1:
        too_large = [Gap(f"{too_large[0].what}; so it is with {len(too_large) - 1} more of the coalitions")]
    found.gaps += too_large
    return found


def _row(
    group: Group, value: str, removed: Removed, point: CoalitionPoint | None, n: int, norm: float | None
) -> CoalitionRow:
    paired = point if removed else None
    return CoalitionRow(
        **group.heading,
        removed=removed,
        n=n,
        acc=None if point is None else point.acc,
        acc_se=None if point is None else point.acc_se,
        acc_low=None if point is None else point.acc_low,
        acc_high=None if point is None else point.acc_high,
        intact_acc=None if point is None else point.intact_acc,
        acc_norm=norm,
        label=format_removed(removed, group.players),
        drop=None if paired is None else paired.drop,
        drop_low=None if paired is None else paired.drop_low,
        drop_high=None if paired is None else paired.drop_high,
        value=value,
    )


def outcome_rows(db: duckdb.DuckDBPyConnection, group: Group) -> Iterator[OutcomeRow]:
    """Yield every document under every coalition."""
    (outcomes, parameters), heading = group.outcomes, group.heading
    rows = db.execute(
        f"""SELECT c.removed, m.doc_id, (SELECT d.gold FROM documents d WHERE d.document = m.document),
                   o.logprobs, o.is_greedy, o.acc, o.acc_norm, o.more, {written_in("o")}
        {outcomes} ORDER BY len(c.removed), c.removed, m.doc_id, m.document""",
        parameters,
    )
    while batch := rows.fetchmany(_BATCH):
        for removed, doc_id, gold, logprobs, is_greedy, acc, acc_norm, more, written in batch:
            yield OutcomeRow(
                **heading,
                removed=tuple(removed),
                doc_id=doc_id,
                gold=gold[0] if len(gold) == 1 else tuple(gold) or None,
                logprobs=tuple(logprobs),
                is_greedy=tuple(is_greedy),
                acc=acc,
                acc_norm=acc_norm,
                more=more,
                written=written,
            )
