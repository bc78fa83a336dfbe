"""Models by tasks, and two models on the same documents: numbers worked out by hand, and the documents behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.statistics.intervals import paired_drop, proportion_interval
from core.statistics.mcnemar import mcnemar_p
from store.results import Page, Results
from store.rows import Selection
from tests.support.store_records import assignment, documents, keep, model, outcome, task

ONE = (1.0, 1.0, 0.0, 1.0, 0.0, 1.0)
TWO = (1.0, 0.0, 0.0, 1.0, 1.0)


def fill(path: Path) -> None:
    """Store two models on one task, with documents 1 to 4 in common, and one of them on another task."""
    sides = ((model("one"), range(6), ONE, "r1"), (model("two"), range(1, 6), TWO, "r2"))
    for record, which, scores, run in sides:
        asked = assignment(documents(which), ((), (0,)), of_model=record)
        kept = []
        for document, acc in zip(which, scores, strict=True):
            logprobs = [-4.0, -4.0, -4.0, -4.0]
            logprobs[(document + (not acc)) % 4] = -1.0
            kept.append(outcome(f"doc-{document}", (), acc, logprobs=logprobs))
            kept.append(outcome(f"doc-{document}", (0,), 0.0, logprobs=[-1.0, -2.0, -3.0, -4.0]))
        keep(path, asked, kept, run_id=run)
    alone = assignment(documents(range(3)), ((),), of_model=model("one"), of_task=task("rivers"))
    keep(path, alone, [outcome(f"doc-{at}", (), 1.0) for at in range(3)], run_id="r3")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "results.duckdb"
    fill(path)
    return path


def test_scores_are_of_the_intact_models(store: Path) -> None:
    import numpy as np

    rows = Results(store).scores().rows
    assert [(row.model, row.task, row.n, row.score, row.chance, row.players) for row in rows] == [
        ("one", "capitals", 6, 4 / 6, 0.25, 6),
        ("one", "rivers", 3, 1.0, 0.25, 6),
        ("two", "capitals", 5, 3 / 5, 0.25, 6),
    ]
    assert (rows[0].score_low, rows[0].score_high) == proportion_interval(np.array(ONE))
    coalitions = [row for row in Results(store).coalitions().rows if not row.removed]
    assert [(row.acc, row.n) for row in coalitions] == [(row.score, row.n) for row in rows]


def test_a_pair_is_of_the_documents_that_both_have(store: Path) -> None:
    import numpy as np

    (row,) = Results(store).pairs().rows
    one, two = np.array(ONE[1:]), np.array(TWO)
    wanted = paired_drop(one, two)
    assert (row.model, row.other, row.task, row.value, row.n) == ("one", "two", "capitals", "acc", 5)
    assert (row.score, row.other_score) == (3 / 5, 3 / 5)
    assert (row.difference, row.difference_low, row.difference_high) == (wanted.drop, wanted.low, wanted.high)
    # They differ on documents 2 (neither is right), 3 (one), 5 (both): 1,0,1,0,1 against 1,0,0,1,1.
    assert (row.better, row.worse, row.changed, row.p_value) == (1, 1, 2, mcnemar_p(1, 1))


def test_the_documents_of_a_pair_are_those_of_its_row(store: Path) -> None:
    results = Results(store)
    (row,) = results.pairs().rows
    selection = Selection(row.model_id, row.task_id)
    found = results.documents(selection, (), page=Page(), beside=row.other_id)
    assert (found.total, found.changed) == (row.n, row.changed)
    assert [each.doc_id for each in found.rows] == [1, 2, 3, 4, 5]
    assert [(each.acc, each.acc_intact) for each in found.rows] == list(zip(ONE[1:], TWO, strict=True))
    changed = results.documents(selection, (), page=Page(only_changed=True), beside=row.other_id).rows
    assert [each.doc_id for each in changed] == [3, 4]
    masked = results.documents(selection, (0,), beside=row.other_id)
    assert (masked.total, masked.changed) == (5, 0), "the same coalition of both, not the intact other"


def test_a_derived_value_is_compared_over_the_same_documents(store: Path) -> None:
    (row,) = Results(store).pairs(value="gold_logprob").rows
    assert (row.n, row.changed, row.p_value) == (5, 2, None)
    assert row.difference == pytest.approx(row.score - row.other_score)


def test_a_model_selects_its_pairs(store: Path) -> None:
    assert len(Results(store).pairs(Selection(model="two")).rows) == 1
    with pytest.raises(CornerstoneError, match="no model 'three'"):
        Results(store).pairs(Selection(model="three"))


def test_models_without_a_common_document_are_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    keep(path, assignment(documents([0]), ((),), of_model=model("one")), [outcome("doc-0")], run_id="r1")
    keep(path, assignment(documents([1]), ((),), of_model=model("two")), [outcome("doc-1")], run_id="r2")
    answer = Results(path).pairs()
    assert (answer.rows, [gap.what for gap in answer.gaps]) == (
        (),
        ["no two models have a document in common: run the same task with both"],
    )
