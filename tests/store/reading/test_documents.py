"""A coalition's documents beside the intact model's: picks, what changed, pages, what the selection must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.records.records import Outcome
from store.results import Page, Results, Selection
from tests.support.store_records import KINDS, assignment, documents, keep, model, outcome, run, task

REMOVED = (0, 3)


def picking(document: str, removed: tuple[int, ...], choice: int, acc: float) -> Outcome:
    logprobs = [-3.0, -3.0, -3.0, -3.0]
    logprobs[choice] = -1.0
    return outcome(document, removed, acc, logprobs=logprobs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four documents: one as before, one that falls, one that is won, one that the intact model has not seen."""
    path = tmp_path / "results.duckdb"
    kept = [
        picking("doc-0", (), 0, 1),
        picking("doc-1", (), 1, 1),
        picking("doc-2", (), 0, 0),
        picking("doc-0", REMOVED, 0, 1),
        picking("doc-1", REMOVED, 3, 0),
        picking("doc-2", REMOVED, 2, 1),
        picking("doc-3", REMOVED, 1, 0),
    ]
    keep(path, assignment(documents(range(4)), [(), REMOVED]), kept)
    return path


def test_documents_stand_beside_the_intact_models(path: Path) -> None:
    found = Results(path).documents(Selection(), REMOVED)
    assert (found.total, found.changed) == (4, 2)
    assert [(r.doc_id, r.gold, r.pick_intact, r.pick, r.acc_intact, r.acc, r.changed) for r in found.rows] == [
        (0, (0,), 0, 0, 1.0, 1.0, False),
        (1, (1,), 1, 3, 1.0, 0.0, True),
        (2, (2,), 0, 2, 0.0, 1.0, True),
        (3, (3,), None, 1, None, 0.0, False),
    ]
    second, last = found.rows[1], found.rows[3]
    assert (second.prompt, second.choices) == ("question 1", ("a", "b", "c", "d"))
    assert second.logprobs_intact == (-3.0, -1.0, -3.0, -3.0)
    assert second.logprobs == (-3.0, -3.0, -3.0, -1.0)
    assert last.logprobs_intact is None
    assert (second.model, second.task, second.removed) == ("tiny", "capitals", REMOVED)


def test_only_those_that_changed(path: Path) -> None:
    found = Results(path).documents(Selection(), REMOVED, page=Page(only_changed=True))
    assert [row.doc_id for row in found.rows] == [1, 2]
    assert (found.total, found.changed) == (4, 2)
    page = Results(path).documents(Selection(), REMOVED, page=Page(True, 1, 1))
    assert [row.doc_id for row in page.rows] == [2]


@pytest.mark.parametrize(("offset", "expected"), [(0, [0, 1]), (2, [2, 3]), (4, [])])
def test_pages_keep_the_count_of_all(path: Path, offset: int, expected: list[int]) -> None:
    found = Results(path).documents(Selection(), REMOVED, page=Page(limit=2, offset=offset))
    assert [row.doc_id for row in found.rows] == expected
    assert (found.total, found.changed) == (4, 2)


def test_the_intact_model_is_beside_itself_and_changes_nothing(path: Path) -> None:
    found = Results(path).documents(Selection(), ())
    assert (found.total, found.changed) == (3, 0)
    assert all(row.logprobs == row.logprobs_intact for row in found.rows)
    assert Results(path).documents(Selection(), (5,)).total == 0


def test_of_equal_choices_the_first_is_picked_and_a_sole_one_is_no_pick(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    tied = [outcome("doc-0", removed, logprobs=[float("-inf"), -2.0, -2.0]) for removed in ((), (1,))]
    recorder = keep(path, assignment(documents([0], choices=3), [(), (1,)]), tied)
    cloze = assignment(documents([0], choices=1), [(), (1,)], of_task=task("lambada"))
    recorder.assign("run1", cloze)
    recorder.record(
        "run1", cloze, [outcome("doc-0", (), 1.0, logprobs=[-1]), outcome("doc-0", (1,), 0.0, logprobs=[-1])]
    )
    (row,) = Results(path).documents(Selection(task="capitals"), (1,)).rows
    assert (row.pick_intact, row.pick) == (1, 1)
    (row,) = Results(path).documents(Selection(task="lambada"), (1,)).rows
    assert (row.pick_intact, row.pick, row.changed) == (None, None, True)


def test_a_run_shows_only_what_it_asked_for(path: Path) -> None:
    recorder = keep(path, assignment(documents([1]), [(), REMOVED]), [], run_id="narrow")
    recorder.begin(run("other"))
    assert [row.doc_id for row in Results(path).documents(Selection(run="narrow"), REMOVED).rows] == [1]


def test_a_selection_of_several_is_refused_with_their_names(path: Path) -> None:
    keep(path, assignment(documents([0]), [()], of_model=model(dtype="bfloat16")), [], run_id="half")
    with pytest.raises(CornerstoneError, match=r"one model on one task; this selects tiny@\w+ on capitals@\w+, tiny@"):
        Results(path).documents(Selection(), REMOVED)
    for group in Results(path).groups().rows:
        assert Results(path).documents(Selection(group.model_id, group.task_id), ()).total in {0, 3}
    assert {group.kinds for group in Results(path).groups().rows} == {KINDS}


def test_each_score_is_of_the_value_asked_for(path: Path) -> None:
    found = Results(path).documents(Selection(), REMOVED, "margin")
    assert [(row.value, row.score_intact, row.score) for row in found.rows] == [
        ("margin", 2.0, 2.0),
        ("margin", 2.0, -2.0),
        ("margin", -2.0, 2.0),
        ("margin", None, -2.0),
    ]
    assert [row.changed for row in found.rows] == [False, True, True, False]
    plain = Results(path).documents(Selection(), REMOVED)
    assert {row.value for row in plain.rows} == {"acc"}
    assert [(row.score_intact, row.score) for row in plain.rows] == [(r.acc_intact, r.acc) for r in plain.rows]
    with pytest.raises(CornerstoneError, match="no value 'f2'; there are acc, acc_norm, gold_logprob"):
        Results(path).documents(Selection(), REMOVED, "f2")
