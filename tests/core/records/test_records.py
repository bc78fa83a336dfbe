"""Records: stored values in the order asked for, and an assignment of a whole task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records.records import Assignment, DataRecord, DocumentRecord, StoredValues, TaskRecord
from tests.support.store_records import assignment, data, documents, model, task

STORED = StoredValues(
    ((), (0,)),
    ("a", "b", "c"),
    np.array([[1.0, 2.0, np.nan], [4.0, np.nan, 6.0]]),
    np.array([[True, True, True], [True, False, True]]),
)


def test_stored_values_come_in_the_order_asked_for_with_gaps_for_what_is_not_there() -> None:
    aligned = STORED.aligned(["c", "z", "a", "c"])
    assert (aligned.removed, aligned.keys) == (STORED.removed, ("c", "z", "a", "c"))
    np.testing.assert_array_equal(aligned.values, [[np.nan, np.nan, 1, np.nan], [6, np.nan, 4, 6]])
    assert aligned.there.tolist() == [[True, False, True, True], [True, False, True, True]]


def test_stored_values_are_found_by_the_set_removed() -> None:
    by_removed = STORED.aligned(["b", "a"]).by_removed
    assert list(by_removed) == [(), (0,)]
    np.testing.assert_array_equal(by_removed[0,], [np.nan, 4])


def test_nothing_stored_is_aligned_to_nothing() -> None:
    nothing = StoredValues((), (), np.empty((0, 0)), np.empty((0, 0), dtype=np.bool_)).aligned(["a", "b"])
    assert nothing.values.shape == nothing.there.shape == (0, 2)
    assert nothing.by_removed == {}


@dataclass(frozen=True)
class Prepared:
    record: TaskRecord
    data: DataRecord
    document_records: tuple[DocumentRecord, ...]


def test_an_assignment_of_a_task_has_all_its_documents() -> None:
    docs = documents((2, 0))
    assert Assignment.of(model(), Prepared(task(), data(), docs), [(0,)]) == assignment(docs, [(0,)])
    assert Assignment.of(model(), Prepared(task(), data(), docs)).coalitions == ()


def test_outcomes_are_shared_by_assignments_of_one_model_and_task() -> None:
    asked = assignment(documents((0,)), [()])
    assert asked.shares_outcomes(assignment(documents((1,)), [(0,)], of_data=data("other")))
    assert not asked.shares_outcomes(assignment(documents((0,)), [()], of_model=model("other")))
    assert not asked.shares_outcomes(assignment(documents((0,)), [()], of_task=task(shots=5)))
