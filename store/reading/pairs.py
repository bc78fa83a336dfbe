"""Compare the intact models, two by two, on the documents of a task that both were evaluated on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.config.gap import Gap
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio
from core.summaries.summarize import drop_of, level_of
from core.values.derived import Answers, is_derived
from core.values.of_task import PREFERRED
from store.comparison_rows import PairRow
from store.file.value_columns import value_columns
from store.reading.answer import Found
from store.reading.gaps import gap_if_too_large
from store.reading.group_values import documents_by_place
from store.reading.groups import Group

PICK = "CASE WHEN len(o.logprobs) > 1 THEN list_position(o.logprobs, list_max(o.logprobs)) - 1 END AS pick"
"""The choice of the largest log-probability, the first of equals; a single continuation, as in LAMBADA, is none."""


@dataclass(frozen=True, slots=True)
class _Side:
    """The intact model's documents, by their sorted places: scores, the scores that tell changes, and picks."""

    group: Group
    places: NDArray[np.int64]
    scores: FloatArray
    telling: FloatArray
    picks: FloatArray
    ratio: Ratio | None


def read_pairs(
    db: duckdb.DuckDBPyConnection, asked: Sequence[tuple[Group, str]], only: Sequence[str] = ()
) -> Found[PairRow]:
    """Compare every two models on every task, by the task's value.

    Args:
        db: an open store.
        asked: groups, each with its value.
        only: ids of models, one of which has to be in each pair; () for all pairs.
    """
    tasks: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group, value in asked:
        tasks[group.task_id, value].append(group)
    found: Found[PairRow] = Found()
    for (_, value), groups in tasks.items():
        pairs = [pair for pair in combinations(groups, 2) if not only or {g.model_id for g in pair} & set(only)]
        sides = {group.model_id: _side(db, group, value) for pair in pairs for group in pair} if pairs else {}
        for one, other in pairs:
            with gap_if_too_large(found.gaps, f"{one.title} beside {other.model_name}"):
                found.rows += _compared(sides[one.model_id], sides[other.model_id], value)
    if not found.rows and not found.gaps:
        found.gaps.append(Gap("no two models have a document in common: run the same task with both"))
    return found


def _side(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> _Side:
    documents = documents_by_place(db, group)
    columns = value_columns(value, group.mean_metrics, Answers.of(list(documents.values())))
    # A derived value differs on nearly every document, as does a text's likelihood: acc decides what changed.
    other = columns.corpus is not None or is_derived(value, group.mean_metrics)
    telling = value_columns(PREFERRED if other else value, (*group.mean_metrics, PREFERRED), Answers.of([]))
    outcomes, parameters = group.outcomes
    rows = db.execute(
        f"""SELECT (m.doc_id::BIGINT << 32) + m.document AS place, {PICK},
                   {telling.select.replace(" AS value", " AS telling")}, {columns.select}
        {outcomes} AND len(c.removed) = 0 ORDER BY place""",
        [*telling.parameters, *columns.parameters, *parameters],
    ).fetchnumpy()
    places = np.asarray(rows["place"])
    answers = Answers.of([documents[int(place)] for place in places])
    scores = columns.values({name: column for name, column in rows.items() if name not in _OWN}, answers)
    return _Side(
        group,
        places,
        scores,
        telling.values({"value": rows["telling"]}, answers),
        telling.values({"value": rows["pick"]}, answers),
        None if columns.corpus is None else columns.corpus.ratio(columns.weights(rows)),
    )


_OWN = frozenset({"place", "pick", "telling"})


def _compared(one: _Side, other: _Side, value: str) -> Iterator[PairRow]:
    """Yield the row of two models, if they have a document in common on which both have a score."""
    _, here, there = np.intersect1d(one.places, other.places, assume_unique=True, return_indices=True)
    scores, others = one.scores[here], other.scores[there]
    both = np.isfinite(scores) & np.isfinite(others)
    if not both.any():
        return
    scores, others = scores[both], others[both]
    same = [
        _same(mine[here][both], theirs[there][both])
        for mine, theirs in ((one.picks, other.picks), (one.telling, other.telling))
    ]
    ratio = None if one.ratio is None else one.ratio.at(here).at(both)
    difference = drop_of(scores, others, ratio)
    yield PairRow(
        task=one.group.task_name,
        value=value,
        model=one.group.model_name,
        other=other.group.model_name,
        n=difference.n,
        score=level_of(scores, ratio),
        other_score=level_of(others, ratio),
        difference=difference.drop,
        difference_low=difference.low,
        difference_high=difference.high,
        better=int((scores > others).sum()),
        worse=int((scores < others).sum()),
        changed=int((~(same[0] & same[1])).sum()),
        p_value=difference.p_value,
        model_id=one.group.model_id,
        other_id=other.group.model_id,
        task_id=one.group.task_id,
    )


def _same(one: FloatArray, other: FloatArray) -> NDArray[np.bool_]:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))
