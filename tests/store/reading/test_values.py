"""Values that follow from stored log-probabilities, read from a real store, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation, windows
from core.errors import CornerstoneError
from core.evaluator.live_task import LiveTask
from core.records.records import DocumentRecord, Outcome
from core.values.derived import derived_values
from store.results import Results, Selection
from tests.support.derived_by_hand import by_hand
from tests.support.store_records import KINDS, PLAYERS, assignment, documents, keep, outcome, task

SETS = windows(PLAYERS, 2)


def of_document(value: str, logprobs: Sequence[float], document: DocumentRecord) -> float:
    return by_hand(value, list(logprobs[: len(document.choices)]), document.gold[0], list(document.choices))


def drawn(docs: tuple[DocumentRecord, ...], sets: list[Removed] = SETS, extra: int = 0) -> dict[tuple, list[float]]:
    """Log-probabilities; ``extra`` more than there are choices, as some tasks ask for."""
    rng = np.random.default_rng(0)
    return {(d.key, removed): (-9 * rng.random(len(d.choices) + extra)).tolist() for removed in sets for d in docs}


def outcomes_of(logprobs: dict[tuple, list[float]]) -> list[Outcome]:
    return [outcome(key, removed, logprobs=values) for (key, removed), values in logprobs.items()]


@pytest.mark.parametrize("value", tuple(derived_values()))
def test_a_derived_value_is_read_like_a_metric(path: Path, value: str) -> None:
    # Choices of several lengths, and unconditional log-probabilities after them, which are not the choices'.
    docs = documents(range(3)) + documents(range(3, 7), choices=2)
    logprobs = drawn(docs, extra=4)
    keep(path, assignment(docs, SETS), outcomes_of(logprobs))
    means = {removed: np.mean([of_document(value, logprobs[d.key, removed], d) for d in docs]) for removed in SETS}
    answer = Results(path).ablation(value=value)
    assert (answer.gaps, answer.notes) == ((), ())
    for row in answer.rows:
        assert (row.value, row.n) == (value, 7)
        assert row.acc == pytest.approx(means[(row.player,)])
        assert row.drop == pytest.approx(means[()] - means[(row.player,)])
        assert row.drop_low < row.drop < row.drop_high
    shapley = Results(path).shapley(value=value, estimator="window-first", max_removed=2).rows
    last = shapley[-1]
    assert (last.value, last.n) == (value, 7)
    assert last.phi == pytest.approx(means[()] - means[(PLAYERS - 1,)])
    assert Results(path).groups().rows[0].values == ("acc", "acc_norm", *tuple(derived_values()))


@pytest.mark.parametrize("value", tuple(derived_values()))
def test_a_live_task_and_the_store_derive_the_same(path: Path, value: str) -> None:
    docs = documents((4, 1, 0)) + documents((2,), choices=3)
    asked = assignment(docs, SETS)
    outcomes = outcomes_of(drawn(docs) | {("doc-1", (0,)): [-math.inf] * 4})
    recorder = keep(path, asked, outcomes)
    live, loaded = (LiveTask(asked, players_of(KINDS), value) for _ in range(2))
    live.add(asked, outcomes)
    loaded.load(recorder.values(asked, value))
    rows = Results(path).ablation(value=value).rows
    assert live.value == value
    assert live.charts(2) == loaded.charts(2)
    assert len(rows) == PLAYERS
    for point, row in zip(live.charts(2).ablation, rows, strict=True):
        assert all(getattr(point, name) == getattr(row, name) for name in point.__slots__)


def test_a_document_whose_value_is_not_finite_is_left_out_and_told(path: Path) -> None:
    docs = documents(range(4))
    logprobs = drawn(docs, ablation(PLAYERS)) | {("doc-2", (3,)): [-1.0, -2.0, -math.inf, -3.0]}
    keep(path, assignment(docs, ablation(PLAYERS)), outcomes_of(logprobs))
    answer = Results(path).ablation(value="gold_logprob")
    assert {row.n for row in answer.rows} == {3}
    assert answer.notes == (
        "tiny on capitals: 1 document has a gold_logprob that is not finite under some coalition; left out",
    )
    assert {row.n for row in Results(path).ablation(value="brier").rows} == {4}
    assert Results(path).ablation().notes == ()


def test_documents_without_one_right_answer_are_left_out_and_told(path: Path) -> None:
    docs = tuple(replace(d, gold=(0, 1)) if d.doc_id < 2 else d for d in documents(range(5)))
    keep(path, assignment(docs, ablation(PLAYERS)), outcomes_of(drawn(docs, ablation(PLAYERS))))
    answer = Results(path).ablation(value="margin")
    assert {row.n for row in answer.rows} == {3}
    assert answer.notes == (
        "tiny on capitals: 2 documents have several right answers, or no choices, so no margin; left out",
    )


def test_a_task_of_which_no_document_has_the_value_is_refused_in_words(path: Path) -> None:
    cloze = assignment(documents([0], choices=1), ablation(PLAYERS), of_task=task("lambada", means=("acc",)))
    recorder = keep(path, cloze, [outcome("doc-0", removed, logprobs=[-1.0]) for removed in ablation(PLAYERS)])
    with pytest.raises(CornerstoneError, match=r"^lambada has no margin: none of its documents .*\(usable: acc\)$"):
        Results(path).ablation(value="margin")
    chosen = assignment(documents([0]), ablation(PLAYERS))
    recorder.assign("run1", chosen)
    recorder.record("run1", chosen, [outcome("doc-0", removed) for removed in ablation(PLAYERS)])
    answer = Results(path).ablation(value="margin")
    assert {row.task for row in answer.rows} == {"capitals"}
    assert len(answer.gaps) == 1
    assert answer.gaps[0].what.startswith("lambada has no margin")


def test_a_metric_of_the_tasks_own_is_not_hidden_by_a_derived_one(path: Path) -> None:
    asked = assignment(documents(range(3)), [(), (0,)], of_task=task(means=("acc", "brier")))
    keep(path, asked, [outcome(f"doc-{i}", r, metrics={"acc": 1, "brier": 7.0}) for i in range(3) for r in ((), (0,))])
    (row,) = Results(path).ablation(Selection(), "brier").rows
    assert (row.acc, row.drop) == (7, 0)


def test_coalitions_are_read_by_any_value(path: Path) -> None:
    docs = documents(range(5))
    logprobs = drawn(docs, [(), (1, 4)])
    keep(path, assignment(docs, [(), (1, 4)]), outcomes_of(logprobs))
    intact, picked = Results(path).coalitions(value="margin").rows
    values = {r: np.array([of_document("margin", logprobs[d.key, r], d) for d in docs]) for r in ((), (1, 4))}
    assert (intact.value, intact.drop, intact.n) == ("margin", None, 5)
    assert picked.acc == pytest.approx(values[1, 4].mean())
    assert picked.acc_se == pytest.approx(values[1, 4].std(ddof=1) / math.sqrt(5))
    assert picked.drop == pytest.approx((values[()] - values[1, 4]).mean())
    assert picked.acc_norm == 0
