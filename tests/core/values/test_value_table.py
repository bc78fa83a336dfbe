"""A table in parts says what the whole says, and loses a document wherever its value is not finite."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from core.coalitions.schedules import windows
from core.records.records import Outcome, StoredValues
from core.values.value_table import ValueTable
from tests.support.store_records import PLAYERS, documents, outcome

DOCUMENTS = documents((3, 0, 2, 1))
SETS = windows(PLAYERS, 2)
MEANS = ("acc", "acc_norm")


def some_outcomes(seed: int = 0) -> list[Outcome]:
    rng = random.Random(seed)
    return [
        outcome(d.key, removed, float(rng.random() < 0.5), logprobs=[-rng.random() * 9 for _ in d.choices])
        for removed in SETS
        for d in DOCUMENTS
    ]


@pytest.mark.parametrize("value", ["acc", "margin"])
def test_outcomes_in_any_order_and_parts_make_the_same(value: str) -> None:
    outcomes = some_outcomes()
    whole, parts, loaded = (ValueTable(DOCUMENTS, value, MEANS) for _ in range(3))
    whole.add(outcomes)
    random.Random(1).shuffle(outcomes)
    for start in range(0, len(outcomes), 7):
        parts.add(outcomes[start : start + 7])
    loaded.load(whole.stored(DOCUMENTS))
    assert set(whole.scores) == set(SETS)
    for removed in SETS:
        np.testing.assert_array_equal(parts.scores[removed], whole.scores[removed])
        np.testing.assert_array_equal(loaded.scores[removed], whole.scores[removed])
    assert {removed: values.tolist() for removed, values in loaded.complete()[0].items()} == {
        removed: values.tolist() for removed, values in whole.scores.items()
    }


def test_values_are_in_the_order_of_the_documents_and_one_that_occurs_twice_counts_twice() -> None:
    twice = (*DOCUMENTS, DOCUMENTS[0])
    table = ValueTable(twice, "acc", MEANS)
    table.add([outcome(document.key, (), acc) for document, acc in zip(DOCUMENTS, [0, 1, 1, 0.5], strict=True)])
    table.add([outcome("another", (), 1.0)])
    assert table.scores[()].tolist() == [0, 1, 1, 0.5, 0]
    assert table.evaluated(twice, [(), (1,)]) == {document.key: frozenset([()]) for document in DOCUMENTS}


def test_only_coalitions_that_every_document_has_are_complete() -> None:
    table = ValueTable(DOCUMENTS, "acc", MEANS)
    table.add([outcome(document.key, ()) for document in DOCUMENTS])
    table.add([outcome(document.key, (0,)) for document in DOCUMENTS[:2]])
    assert list(table.complete()[0]) == [()]


def test_a_document_whose_value_is_not_finite_under_one_coalition_is_lost_under_all() -> None:
    table = ValueTable(DOCUMENTS, "margin", MEANS)
    first, *rest = DOCUMENTS
    table.add([outcome(document.key, ()) for document in DOCUMENTS])
    table.add([outcome(first.key, (0,), logprobs=[-math.inf] * 4), *(outcome(d.key, (0,)) for d in rest)])
    table.add([outcome(document.key, (1,)) for document in DOCUMENTS])
    assert all(np.isnan(values[0]) and not np.isnan(values[1:]).any() for values in table.scores.values())
    assert {removed: len(values) for removed, values in table.complete()[0].items()} == {(): 3, (0,): 3, (1,): 3}


def test_a_metric_that_is_not_there_is_no_value() -> None:
    table = ValueTable(DOCUMENTS, "acc", MEANS)
    table.add([outcome(document.key, (), metrics={}) for document in DOCUMENTS])
    assert np.isnan(table.scores[()]).all()
    assert not len(table.complete()[0][()])
    table.load(StoredValues((), (), np.empty((0, 0)), np.empty((0, 0), dtype=np.bool_)))
    assert list(table.scores) == [()]
