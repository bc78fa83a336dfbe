"""Read the documents of one coalition beside the intact model's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from core.coalitions.players import Removed
from core.values.derived import derive, gold_of, is_derived
from core.values.of_task import PREFERRED
from store.file.value_columns import Answers, value_columns
from store.file.written_text import written_in
from store.reading.groups import Group
from store.rows import DocumentRow


@dataclass(frozen=True, slots=True)
class Documents:
    """A page of documents. ``total`` and ``changed`` count the documents of all pages."""

    rows: tuple[DocumentRow, ...]
    total: int
    changed: int


@dataclass(frozen=True, slots=True)
class Page:
    """The documents of a coalition to read: ``limit`` of them, from number ``offset`` on.

    With ``only_changed``, only documents that changed are counted and read.
    """

    only_changed: bool = False
    limit: int = 500
    offset: int = 0


def read_documents(db: duckdb.DuckDBPyConnection, group: Group, value: str, removed: Removed, page: Page) -> Documents:
    """Read the documents that were evaluated under a coalition, in the order of the data."""
    sides, parameters = _sides(group, value, removed)
    counts = db.execute(f"{sides} SELECT count(*), count(*) FILTER (changed) FROM sides", parameters).fetchone()
    total, changed = counts or (0, 0)
    found = db.execute(
        f"""{sides} SELECT s.doc_id, d.prompt, d.choices, d.gold, s.pick_intact, s.pick, s.acc_intact, s.acc,
                           s.logprobs_intact, s.logprobs, s.written_intact, s.written, s.score_intact, s.score,
                           s.changed
        FROM sides s JOIN documents d ON d.document = s.document WHERE s.changed OR NOT ?::BOOLEAN
        ORDER BY s.doc_id, s.document LIMIT ? OFFSET ?""",
        [*parameters, page.only_changed, page.limit, page.offset],
    ).fetchall()
    return Documents(tuple(_rows(group, value, removed, found)), total, changed)


def _sides(group: Group, value: str, removed: Removed) -> tuple[str, list[object]]:
    """Return a WITH clause that defines ``sides``, with one row for each document, and its parameters."""
    outcomes, parameters = group.outcomes
    # The first of equals, as in numpy's argmax. A single continuation, as in LAMBADA, is no choice.
    pick = "CASE WHEN len(o.logprobs) > 1 THEN list_position(o.logprobs, list_max(o.logprobs)) - 1 END AS pick"
    # A derived value differs on nearly every document, so acc decides what changed. The score is derived later.
    metric = PREFERRED if is_derived(value, group.mean_metrics) else value
    read = value_columns(metric, (*group.mean_metrics, metric), Answers.of([]))
    columns = f"m.doc_id, m.document, o.logprobs, {pick}, o.acc, {written_in('o')} AS written, {read.select}"
    of_side = [*read.parameters, *parameters]
    clause = f"""WITH now AS (SELECT {columns} {outcomes} AND c.removed = ?::INTEGER[]),
        intact AS (SELECT {columns} {outcomes} AND len(c.removed) = 0),
        sides AS (
            SELECT now.* EXCLUDE (value), now.value AS score, intact.value AS score_intact,
                   intact.logprobs AS logprobs_intact, intact.written AS written_intact,
                   intact.pick AS pick_intact, intact.acc AS acc_intact,
                   intact.document IS NOT NULL
                   AND (now.pick IS DISTINCT FROM intact.pick OR now.value IS DISTINCT FROM intact.value) AS changed
            FROM now LEFT JOIN intact ON intact.doc_id = now.doc_id AND intact.document = now.document
        )"""
    return clause, [*of_side, list(removed), *of_side]


def _rows(group: Group, value: str, removed: Removed, found: list[tuple[Any, ...]]) -> Iterator[DocumentRow]:
    derived = is_derived(value, group.mean_metrics)
    for (
        doc_id,
        prompt,
        choices,
        gold,
        pick_was,
        pick,
        acc_was,
        acc,
        was,
        now,
        written_was,
        written,
        score_was,
        score,
        changed,
    ) in found:
        yield DocumentRow(
            **group.heading,
            removed=removed,
            doc_id=doc_id,
            prompt=prompt,
            choices=tuple(choices),
            gold=tuple(gold),
            pick_intact=pick_was,
            pick=pick,
            acc_intact=acc_was,
            acc=acc,
            logprobs_intact=None if was is None else tuple(was),
            logprobs=tuple(now),
            written_intact=written_was,
            written=written,
            value=value,
            score_intact=_derived(value, was, gold, len(choices)) if derived else score_was,
            score=_derived(value, now, gold, len(choices)) if derived else score,
            changed=changed,
        )


def _derived(value: str, logprobs: Sequence[float] | None, gold: Sequence[int], choices: int) -> float | None:
    """Derive a value of one outcome; None where the document has none, or it is no finite number."""
    if logprobs is None:
        return None
    (score,) = derive(value, np.array([logprobs[:choices]], dtype=np.float64), np.array([gold_of(gold, choices)]))
    return float(score) if np.isfinite(score) else None
