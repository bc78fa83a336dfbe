"""The documents of one coalition, side by side with the intact model's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from core.coalitions.players import Removed
from store.reading.groups import Group
from store.rows import DocumentRow


@dataclass(frozen=True, slots=True)
class Documents:
    """A page of documents; ``total`` and ``changed`` count those of all pages."""

    rows: tuple[DocumentRow, ...]
    total: int
    changed: int


def read_documents(
    db: duckdb.DuckDBPyConnection, group: Group, removed: Removed, *, only_changed: bool, limit: int, offset: int
) -> Documents:
    """Those that were evaluated under a coalition, in the order of the data."""
    sides, parameters = _sides(group, removed)
    counts = db.execute(f"{sides} SELECT count(*), count(*) FILTER (changed) FROM sides", parameters).fetchone()
    total, changed = counts or (0, 0)
    page = db.execute(
        f"""{sides} SELECT s.doc_id, d.prompt, d.choices, d.gold, s.pick_intact, s.pick, s.acc_intact, s.acc,
                           s.logprobs_intact, s.logprobs
        FROM sides s JOIN documents d ON d.document = s.document WHERE s.changed OR NOT ?::BOOLEAN
        ORDER BY s.doc_id, s.document LIMIT ? OFFSET ?""",
        [*parameters, only_changed, limit, offset],
    ).fetchall()
    return Documents(tuple(_rows(group, removed, page)), total, changed)


def _sides(group: Group, removed: Removed) -> tuple[str, list[object]]:
    """A WITH clause that names ``sides``, one row a document of the coalition; its parameters."""
    outcomes, parameters = group.outcomes
    # As numpy's argmax, the first of equals. A sole continuation, as in LAMBADA, is no choice.
    pick = "CASE WHEN len(o.logprobs) > 1 THEN list_position(o.logprobs, list_max(o.logprobs)) - 1 END AS pick"
    columns = f"m.doc_id, m.document, o.logprobs, {pick}, o.acc"
    clause = f"""WITH now AS (SELECT {columns} {outcomes} AND c.removed = ?::INTEGER[]),
        intact AS (SELECT {columns} {outcomes} AND len(c.removed) = 0),
        sides AS (
            SELECT now.*, intact.logprobs AS logprobs_intact, intact.pick AS pick_intact, intact.acc AS acc_intact,
                   intact.document IS NOT NULL
                   AND (now.pick IS DISTINCT FROM intact.pick OR now.acc IS DISTINCT FROM intact.acc) AS changed
            FROM now LEFT JOIN intact ON intact.doc_id = now.doc_id AND intact.document = now.document
        )"""
    return clause, [*parameters, list(removed), *parameters]


def _rows(group: Group, removed: Removed, found: list[tuple[Any, ...]]) -> Iterator[DocumentRow]:
    for doc_id, prompt, choices, gold, pick_intact, pick, acc_intact, acc, logprobs_intact, logprobs in found:
        yield DocumentRow(
            **group.heading,
            removed=removed,
            doc_id=doc_id,
            prompt=prompt,
            choices=tuple(choices),
            gold=tuple(gold),
            pick_intact=pick_intact,
            pick=pick,
            acc_intact=acc_intact,
            acc=acc,
            logprobs_intact=None if logprobs_intact is None else tuple(logprobs_intact),
            logprobs=tuple(logprobs),
        )
