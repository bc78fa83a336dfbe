"""Read every stored coalition of one group of results, and every outcome."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from core.coalitions.players import format_removed
from core.estimators.question import Scores
from core.summaries.summarize import coalition_point
from store.file.written_text import written_in
from store.reading.answer import Found
from store.reading.gaps import left_out
from store.reading.groups import Group, read_values
from store.rows import CoalitionRow, OutcomeRow

_BATCH = 10_000


def read_coalitions(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> Found[CoalitionRow]:
    """Read every coalition; its score is None if the group does not have ``value``."""
    if group.parts:
        values = read_values(db, group, value, len(group.players))
        norms = read_values(db, group, "acc_norm", len(group.players)).scores if "acc_norm" in group.values else {}
        return Found(list(_whole_rows(group, value, values.scores, norms)), left_out(group, value, values))
    if value not in group.values:
        return Found(list(_rows(db, group, value, {})))
    values = read_values(db, group, value, len(group.players))
    return Found(list(_rows(db, group, value, values.scores)), left_out(group, value, values))


def _whole_rows(group: Group, value: str, scores: Scores, norms: Scores) -> Iterator[CoalitionRow]:
    """Yield the coalitions of a group of tasks, under which each of its tasks was evaluated."""
    for removed in sorted(scores, key=lambda one: (len(one), one)):
        point, norm = coalition_point(scores, removed), coalition_point(norms, removed)
        if point is not None:
            yield CoalitionRow(
                **group.heading,
                removed=removed,
                n=point.n,
                acc=point.acc,
                acc_se=point.acc_se,
                acc_norm=None if norm is None else norm.acc,
                label=format_removed(removed, group.players),
                drop=point.drop if removed else None,
                drop_low=point.drop_low if removed else None,
                drop_high=point.drop_high if removed else None,
                value=value,
            )


def _rows(db: duckdb.DuckDBPyConnection, group: Group, value: str, scores: Scores) -> Iterator[CoalitionRow]:
    (outcomes, parameters), heading, players = group.outcomes, group.heading, group.players
    rows = db.execute(
        f"""SELECT c.removed, count(*), avg(o.acc_norm)
        {outcomes} GROUP BY c.removed ORDER BY len(c.removed), c.removed""",
        parameters,
    ).fetchall()
    for numbers, n, acc_norm in rows:
        removed = tuple(numbers)
        point = coalition_point(scores, removed)
        paired = point if removed else None
        yield CoalitionRow(
            **heading,
            removed=removed,
            n=n if value == group.own_value else point.n if point is not None else 0,
            acc=None if point is None else point.acc,
            acc_se=None if point is None else point.acc_se,
            acc_norm=acc_norm,
            label=format_removed(removed, players),
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
