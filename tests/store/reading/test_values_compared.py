"""The values of a task compared, from a real store: by hand, over the same documents, and what is said of the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from core.coalitions.players import Removed
from core.coalitions.schedules import ablation, windows
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.records.records import DocumentRecord, Outcome
from store.comparison_rows import ValueRow
from store.reading.soonest import soonest
from store.results import Results, Selection
from tests.support.store_records import (
    PLAYERS,
    assignment,
    documents,
    drawn_scores,
    keep,
    keep_all,
    outcome,
    task,
    to_run,
)

ALONE = ablation(PLAYERS)
LOST = (3, 2, 1, 0, 0, 0)
"""On how many of the four documents the answer is wrong without each player."""


def told(gold: int, logprob: float) -> list[float]:
    return [logprob if choice == gold else -9.0 for choice in range(4)]


def by_hand(document: DocumentRecord, removed: Removed) -> Outcome:
    """Accuracy needs the first players most, and the log-probability the last ones: the two turn the ranking round."""
    at = document.doc_id
    (player,) = removed or (None,)
    if player is None:
        return outcome(document.key, removed, 1.0, logprobs=told(at % 4, -1.0))
    drop = player * (1.5 if at % 2 else 0.5)
    return outcome(document.key, removed, float(at % 4 >= LOST[player]), logprobs=told(at % 4, -1.0 - drop))


def stored(
    path: Path,
    docs: Sequence[DocumentRecord],
    of: Callable[[DocumentRecord, Removed], Outcome] = by_hand,
    sets: Sequence[Removed] = ALONE,
    **options: object,
) -> None:
    kept = [of(document, removed) for removed in sets for document in docs]
    keep(path, assignment(docs, sets), kept, config=to_run(**options))


def rows_of(path: Path, max_removed: int = 1) -> dict[str, ValueRow]:
    return {row.value: row for row in Results(path).values(max_removed=max_removed).rows}


def test_every_value_has_a_row_with_the_numbers_of_arithmetic_by_hand(path: Path) -> None:
    stored(path, documents(range(4)))
    rows = rows_of(path)
    assert [*rows] == [
        "acc", "acc_norm", "gold_logprob", "margin", "brier", "gold_logprob_norm", "gold_prob", "margin_norm",
    ]  # fmt: skip
    assert {(row.reference, row.estimator, row.max_removed, row.n) for row in rows.values()} == {
        ("acc", "window-first", 1, 4)
    }
    acc, gold = rows["acc"], rows["gold_logprob"]
    # Contributions 1, 1, 1, 0 and 1, 0, 0, 0, so standard errors of .25.
    assert (acc.leader, acc.t, acc.t3) == ("Attn 0", pytest.approx(3), pytest.approx(1))
    # Contributions i/2, 3i/2, i/2, 3i/2, so standard errors of i / root of 12, for the fifth and the third player.
    assert (gold.leader, gold.t, gold.t3) == ("FFN 2", pytest.approx(math.sqrt(12)), pytest.approx(math.sqrt(12)))
    # Ranks less their mean: 2.5, 1.5, .5 and thrice -1.5, against -2.5 to 2.5.
    assert gold.rho == pytest.approx(-15.5 / math.sqrt(15.5 * 17.5))
    assert gold.common == 0
    for row in rows.values():
        for name in ("t", "t3", "rho", "common"):
            value, low, high = (getattr(row, name + end) for end in ("", "_low", "_high"))
            assert value is None or low <= value <= high
    # acc_norm is 1 - acc here.
    turned = rows["acc_norm"]
    assert (turned.rho, turned.rho_low, turned.common) == (pytest.approx(-1), pytest.approx(-1), 0)


def test_the_row_of_the_reference_says_nothing_of_its_likeness_to_itself(path: Path) -> None:
    stored(path, documents(range(4)))
    acc = rows_of(path)["acc"]
    assert (acc.rho, acc.rho_low, acc.rho_high, acc.common, acc.common_low, acc.common_high) == (None,) * 6
    assert acc.reliability is not None


def test_two_values_that_are_the_same_agree_wholly(path: Path) -> None:
    def same(document: DocumentRecord, removed: Removed) -> Outcome:
        acc = by_hand(document, removed).metrics["acc"]
        return outcome(document.key, removed, metrics={"acc": acc, "acc_norm": acc})

    stored(path, documents(range(4)), same)
    row = rows_of(path)["acc_norm"]
    assert (row.rho, row.rho_low, row.rho_high) == pytest.approx((1, 1, 1))
    assert (row.common, row.common_low, row.common_high) == pytest.approx((3, 3, 3))
    # All log-probabilities are the same, so that nothing is the largest.
    flat = rows_of(path)["gold_logprob"]
    assert (flat.leader, flat.t, flat.t3, flat.rho, flat.reliability) == (None,) * 5


def clear(document: DocumentRecord, removed: Removed) -> Outcome:
    """Without one of the first three players every answer is wrong."""
    return outcome(document.key, removed, float(not set(removed) & {0, 1, 2}))


def test_verdicts_and_documents_are_those_of_the_shapley_values(path: Path) -> None:
    stored(path, documents(range(40)), clear)
    row = rows_of(path)["acc"]
    assert (row.inside, row.out, row.unsettled, row.documents) == (3, 3, 0, 40)
    assert row.t is None  # what never varies has no standard error
    shapley = Results(path).shapley(max_removed=1, estimator="window-first").rows
    assert [each.verdict for each in shapley] == ["in"] * 3 + ["out"] * 3
    (note,) = [note for note in Results(path).values(max_removed=1).notes if "soonest" in note]
    assert note == "tiny on capitals: acc answers soonest: these 40 documents decide the top 3"


def test_documents_beyond_those_stored_are_a_forecast(path: Path, tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    stored(few, documents(range(8)), clear)
    row = rows_of(few)["acc"]
    assert (row.inside, row.out, row.unsettled) == (0, 0, 6)
    assert row.documents is not None
    assert row.documents > 8
    # The forecast is right where further documents say the same.
    for count, decided in ((row.documents, True), (row.documents - 1, False)):
        stored(many.with_name(f"many{count}"), documents(range(count)), clear)
        assert (rows_of(many.with_name(f"many{count}"))["acc"].unsettled == 0) is decided


def test_without_a_random_order_there_are_no_verdicts(path: Path) -> None:
    stored(path, documents(range(40)), clear, order="file")
    answer = Results(path).values(max_removed=1)
    assert {(row.inside, row.out, row.unsettled, row.documents) for row in answer.rows} == {(None,) * 4}
    assert answer.notes == ()


def test_both_values_are_of_the_same_documents(path: Path) -> None:
    docs = [*documents(range(5)), DocumentRecord("two", 2, (0, 1), "two right answers", ("a", "b", "c", "d"))]
    # It comes third by its number, so documents that are not matched by it shift all that follow.
    shifted = [
        replace(document, doc_id=document.doc_id + 1) if document.doc_id >= 2 else document for document in docs[:5]
    ]
    stored(path, [*shifted, docs[5]])
    rows = rows_of(path)
    assert (rows["acc"].n, rows["gold_logprob"].n) == (6, 5)
    kept = {
        name: np.array([
            [by_hand(d, ()).metrics["acc"] - by_hand(d, (p,)).metrics["acc"] if name == "acc"
             else p * (1.5 if d.doc_id % 2 else 0.5) for d in shifted]
            for p in range(PLAYERS)
        ]).mean(axis=1)
        for name in ("acc", "gold_logprob")
    }  # fmt: skip
    assert rows["gold_logprob"].rho == pytest.approx(stats.spearmanr(kept["acc"], kept["gold_logprob"]).statistic)
    assert "1 document has several right answers" in " ".join(Results(path).values(max_removed=1).notes)


def test_the_longest_windows_that_are_stored_make_a_partial_answer(path: Path) -> None:
    def wide(document: DocumentRecord, removed: Removed) -> Outcome:
        return outcome(document.key, removed, float((document.doc_id + sum(removed)) % 3 > 0))

    stored(path, documents(range(6)), wide, windows(PLAYERS, 2))
    answer = Results(path).values()
    assert {row.max_removed for row in answer.rows} == {2}
    assert answer.rows == Results(path).values(max_removed=2).rows
    (part,) = answer.partial
    assert part.what.startswith("tiny on capitals: partial, from windows of up to 2, as 7 of 19 coalitions are missing")
    assert part.fill == to_run(schedule="windows")


def test_only_documents_that_have_all_coalitions_count(path: Path) -> None:
    stored(path, documents(range(4)))
    more = assignment(documents(range(4, 9)), ALONE)
    keep(path, more, [by_hand(one, removed) for removed in ALONE[:-1] for one in more.documents], run_id="b")
    assert {row.n for row in Results(path).values(max_removed=1).rows} == {4}


def test_a_task_without_accuracy_is_compared_with_its_own_value(path: Path) -> None:
    own = task("copying", means=("exact_match", "bleu"))
    docs = documents(range(5), choices=1)
    scores = drawn_scores(ALONE, 5, intact=0.9, lost=0.4)
    kept = [
        outcome(d.key, r, logprobs=(-1.0,), metrics={"exact_match": scores[r][i], "bleu": scores[r][i] / 2})
        for r in ALONE
        for i, d in enumerate(docs)
    ]
    keep(path, assignment(docs, ALONE, of_task=own), kept)
    rows = rows_of(path)
    assert [*rows] == ["exact_match", "bleu"]
    assert (rows["bleu"].reference, rows["bleu"].rho) == ("exact_match", pytest.approx(1))


def test_what_is_missing_is_a_sentence_with_the_run_that_fills_it(path: Path, tmp_path: Path) -> None:
    stored(path, documents(range(4)), sets=ALONE[1:])
    (gap,) = Results(path).values().gaps
    assert gap.what.endswith("the intact model, which every removal is measured against, is not stored")
    assert gap.fill == to_run(schedule="windows")
    some = tmp_path / "some"
    stored(some, documents(range(4)), sets=ALONE[:4])
    (gap,) = Results(some).values().gaps
    assert gap == Gap("tiny on capitals: 15 of 19 coalitions are missing for windows of up to 4", gap.fill)
    apart = tmp_path / "apart"
    asked = assignment(documents(range(7)), ALONE)
    keep(apart, asked, [by_hand(*one) for one in zip(asked.documents, ALONE, strict=True) if len(one[1]) < 2])
    (gap,) = Results(apart).values(max_removed=1).gaps
    assert "no document has all 7 coalitions of windows of up to 1" in gap.what
    alone = tmp_path / "alone"
    stored(alone, documents(range(1)))
    gaps = Results(alone).values(max_removed=1).gaps
    assert len(gaps) == 8
    assert gaps[0] == Gap("tiny on capitals: 1 document has acc under all coalitions; 2 are needed to compare")
    assert "1 document has margin and acc under all" in gaps[3].what


def test_a_wrong_question_is_one_sentence(path: Path) -> None:
    keep_all(path, assignment(documents(range(2)), ALONE), {removed: [1.0, 1.0] for removed in ALONE})
    for size in (0, 9):
        with pytest.raises(CornerstoneError):
            Results(path).values(max_removed=size)
    with pytest.raises(CornerstoneError, match="no task 'capital' in the store"):
        Results(path).values(Selection(task="capital"))


def row(**numbers: object) -> ValueRow:
    given = {
        **dict.fromkeys(ValueRow.__slots__),
        "model": "tiny", "task": "t", "value": "margin", "reference": "acc", "n": 64, "unsettled": 6,
        "inside": 0, "out": 0,
    }  # fmt: skip
    return ValueRow(**{**given, **numbers})  # type: ignore[arg-type]


def test_the_sentence_names_the_value_that_has_decided_most_and_does_not_hide_that_it_disagrees() -> None:
    own = row(value="acc", reliability=0.36)
    soon = row(
        inside=2, out=3, unsettled=1, documents=700, reliability=0.81,
        rho=0.1, rho_low=-0.2, rho_high=0.3, common=1.0, common_low=0.0, common_high=1.5,
    )  # fmt: skip
    sooner = row(value="brier", documents=80)
    assert [*soonest("tiny on t", [own, sooner, soon])] == [
        "tiny on t: margin has decided most after 64 documents: 2 in the top 3, 3 out of it, 1 open; by a forecast "
        "about 700 decide all. With acc it has a rank correlation of 0.10 (95%: -0.20 to 0.30; at least about 0.54 "
        "is likely if both rank alike) and 1 of the top 3 in common (95%: 0 to 1.5)"
    ]
    assert [*soonest("tiny on t", [own, sooner])] == [
        "tiny on t: no value has decided a player after 64 documents; of brier, by a forecast about 80 decide all"
    ]
    assert [*soonest("tiny on t", [own])] == [
        "tiny on t: no value has decided a player after 64 documents; of acc, how many documents decide all is not in "
        "sight"
    ]
    assert [*soonest("tiny on t", [])] == []
