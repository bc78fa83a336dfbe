"""Read the documents of one coalition beside the intact model's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from core.coalitions.players import Removed
from core.values.corpus import CorpusValue, corpus_value
from core.values.derived import Answers, derive, is_derived, lengths_of
from core.values.of_task import PREFERRED
from store.file.value_columns import value_columns
from store.file.written_text import written_in
from store.reading.groups import Group
from store.reading.pairs import PICK
from store.rows import DocumentRow

_CONTAINING = """JOIN documents d ON d.document = now.document
            WHERE contains(lower(concat_ws(chr(10), d.prompt, array_to_string(d.choices, chr(10)), now.written,
                                           intact.written)), lower(?))"""


@dataclass(frozen=True, slots=True)
class Documents:
    """A page of documents. ``total`` and ``changed`` count the documents of all pages."""

    rows: tuple[DocumentRow, ...]
    total: int
    changed: int


@dataclass(frozen=True, slots=True)
class Page:
    """The documents of a coalition to read: ``limit`` of them, from number ``offset`` on.

    With ``only_changed``, only documents that changed are counted and read. With ``text``, only those whose prompt,
    choices or written texts contain it, in capital or small letters.
    """

    only_changed: bool = False
    limit: int = 500
    offset: int = 0
    text: str = ""


def read_documents(
    db: duckdb.DuckDBPyConnection, group: Group, value: str, removed: Removed, page: Page, other: Group | None = None
) -> Documents:
    """Read the documents that were evaluated under a coalition, in the order of the data.

    Beside the coalition stands the intact model, or the same coalition of ``other``, another model, where both have the
    document.
    """
    sides, parameters = _sides(group, value, removed, other, page.text)
    found = db.execute(
        f"""{sides},
        counted AS (SELECT count(*) AS total, count(*) FILTER (changed) AS changed FROM sides),
        page AS (SELECT * FROM sides WHERE changed OR NOT ?::BOOLEAN ORDER BY doc_id, document LIMIT ? OFFSET ?)
        SELECT n.total, n.changed, p.doc_id, d.prompt, d.choices, d.gold, p.pick_intact, p.pick, p.acc_intact, p.acc,
               p.logprobs_intact, p.logprobs, p.written_intact, p.written, p.score_intact, p.score, p.weight, p.changed
        FROM counted n LEFT JOIN (page p JOIN documents d ON d.document = p.document) ON TRUE
        ORDER BY p.doc_id, p.document""",
        [*parameters, page.only_changed, page.limit, page.offset],
    ).fetchall()
    total, changed, *_ = found[0]
    rows = [row for _, _, *row in found if row[0] is not None]
    return Documents(tuple(_rows(group, value, removed, rows)), total, changed)


def _sides(group: Group, value: str, removed: Removed, other: Group | None, text: str) -> tuple[str, list[object]]:
    """Return a WITH clause that defines ``sides``, with one row for each document, and its parameters."""
    outcomes, parameters = group.outcomes
    beside, beside_parameters = (group if other is None else other).outcomes
    join = "LEFT JOIN" if other is None else "JOIN"
    # A derived value differs on nearly every document, as does a text's likelihood, so acc decides what changed. The
    # score is made later.
    metric = PREFERRED if is_derived(value, group.mean_metrics) else value
    read = value_columns(metric, (*group.mean_metrics, PREFERRED), Answers.of([]))
    columns = f"m.doc_id, m.document, o.logprobs, {PICK}, o.acc, {written_in('o')} AS written, {read.select}"
    telling = "value" if read.corpus is None else "acc"
    differs = f"now.{telling} IS DISTINCT FROM intact.{telling}"
    columns += "" if read.corpus is not None else ", NULL AS weight"
    clause = f"""WITH now AS (SELECT {columns} {outcomes} AND c.removed = ?::INTEGER[]),
        intact AS (SELECT {columns} {beside} AND c.removed = ?::INTEGER[]),
        sides AS MATERIALIZED (
            SELECT now.* EXCLUDE (value), now.value AS score, intact.value AS score_intact,
                   intact.logprobs AS logprobs_intact, intact.written AS written_intact,
                   intact.pick AS pick_intact, intact.acc AS acc_intact,
                   intact.document IS NOT NULL
                   AND (now.pick IS DISTINCT FROM intact.pick OR {differs}) AS changed
            FROM now {join} intact ON intact.doc_id = now.doc_id AND intact.document = now.document
            {_CONTAINING if text else ""}
        )"""
    against = list(removed) if other is not None else []
    own, others = [*read.parameters, *parameters], [*read.parameters, *beside_parameters]
    return clause, [*own, list(removed), *others, against, *([text] if text else [])]


def _rows(group: Group, value: str, removed: Removed, found: Sequence[Sequence[Any]]) -> Iterator[DocumentRow]:
    derived, corpus = is_derived(value, group.mean_metrics), corpus_value(value)
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
        weight,
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
            score_intact=_derived(value, was, gold, choices) if derived else _score(corpus, score_was, weight),
            score=_derived(value, now, gold, choices) if derived else _score(corpus, score, weight),
            changed=changed,
        )


def _score(corpus: CorpusValue | None, score: float | None, weight: float | None) -> float | None:
    """Return a document's score: the metric as it is, or a value of a corpus that is this document alone."""
    if corpus is None or score is None:
        return score
    return None if weight is None else corpus.of_document(score, weight)


def _derived(value: str, logprobs: Sequence[float] | None, gold: Sequence[int], choices: Sequence[str]) -> float | None:
    """Derive a value of one outcome; None where the document has none, or it is no finite number."""
    if logprobs is None:
        return None
    (score,) = derive(value, np.array([logprobs], dtype=np.float64), Answers.of([(gold, lengths_of(choices))]))
    return float(score) if np.isfinite(score) else None
