"""Interactions read from a real store: labels, documents that every window has, what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.coalitions.schedules import ablation, windows
from core.errors import CornerstoneError
from store.results import Results, Selection
from tests.support.store_records import PLAYERS, assignment, documents, keep, keep_all, outcome, task, to_run

EVERY_WINDOW = windows(PLAYERS, 4)


def acc(removed: tuple[int, ...], document: int) -> float:
    """Attn 0 and FFN 0 back each other up on even documents; FFN 1 and Attn 2 need each other on odd ones."""
    return float(not {0, 1} <= set(removed) if document % 2 == 0 else not {3, 4} & set(removed))


def test_rows_are_by_size_and_first_player_with_labels(path: Path) -> None:
    scores = {removed: [acc(removed, document) for document in range(20)] for removed in EVERY_WINDOW}
    keep_all(path, assignment(documents(range(20)), EVERY_WINDOW), scores)
    rows = Results(path).interactions().rows
    assert [(row.size, row.first) for row in rows] == [(k, i) for k in (2, 3, 4) for i in range(PLAYERS - k + 1)]
    known = {row.labels: row for row in rows}
    backing, needing = known["Attn 0", "FFN 0"], known["FFN 1", "Attn 2"]
    assert (backing.effect, backing.joint_drop, backing.n, backing.value) == (-0.5, 0.5, 20, "acc")
    assert backing.high < 0
    assert (needing.effect, needing.joint_drop) == (0.5, 0.5)
    assert needing.low > 0
    assert known["Attn 0", "FFN 0", "Attn 1", "FFN 1"].effect == -0.5
    assert known["FFN 0", "Attn 1"].effect == 0
    assert [row.labels for row in Results(path).interactions(max_removed=2).rows] == [
        row.labels for row in rows if row.size == 2
    ]
    assert Results(path).interactions(value="acc_norm").rows[0].effect == 0.5


def test_only_documents_that_every_window_has_count(path: Path) -> None:
    asked = assignment(documents(range(5)), EVERY_WINDOW)
    kept = [outcome(f"doc-{i}", removed) for removed in EVERY_WINDOW for i in range(3)]
    recorder = keep(path, asked, kept)
    recorder.record("run1", asked, [outcome("doc-4", removed) for removed in EVERY_WINDOW[:-1]])
    assert {row.n for row in Results(path).interactions().rows} == {3}


def test_what_is_missing_is_a_sentence_and_does_not_hide_another_task(path: Path) -> None:
    scores = {removed: [1.0, 1.0] for removed in EVERY_WINDOW}
    keep_all(path, assignment(documents(range(2)), EVERY_WINDOW), scores)
    other = assignment(documents(range(2)), ablation(PLAYERS), of_task=task("opposites"))
    keep_all(path, other, scores, run_id="b")
    answer = Results(path).interactions()
    assert {row.task for row in answer.rows} == {"capitals"}
    assert len(answer.gaps) == 1
    assert "tiny on opposites: 12 of 19 coalitions are missing for windows of up to 4" in answer.gaps[0].what
    apart = assignment(documents([5]), EVERY_WINDOW[8:], of_task=task("opposites"))
    keep(path, apart, [outcome("doc-5", removed) for removed in EVERY_WINDOW[7:]], run_id="c")
    (gap,) = Results(path).interactions(Selection(task="opposites")).gaps
    assert "no document has all 19 coalitions" in gap.what


def test_shorter_windows_that_are_all_stored_are_a_partial_answer(path: Path) -> None:
    scores = {removed: [acc(removed, document) for document in range(20)] for removed in EVERY_WINDOW}
    recorder = keep_all(path, assignment(documents(range(20)), windows(PLAYERS, 3)), scores)
    answer, whole = Results(path).interactions(), Results(path).interactions(max_removed=3)
    assert (answer.rows, answer.gaps, whole.partial, whole.notes) == (whole.rows, (), (), ())
    assert {row.size for row in answer.rows} == {2, 3}
    (part,) = answer.partial
    start = "tiny on capitals: partial, from windows of up to 3, as 3 of 19 coalitions are missing for"
    assert part.what.startswith(start)
    assert part.fill == to_run(schedule="windows")
    # Every coalition, but never over the same documents.
    apart = assignment(documents([20]), EVERY_WINDOW)
    recorder.assign("run1", apart)
    recorder.record("run1", apart, [outcome("doc-20", removed) for removed in EVERY_WINDOW[-3:]])
    answer = Results(path).interactions()
    assert {(row.size, row.n) for row in answer.rows} == {(2, 20), (3, 20)}
    assert "partial, from windows of up to 3, as no document has all the coalitions" in answer.partial[0].what


def test_bad_questions_are_one_sentence(path: Path) -> None:
    keep_all(path, assignment(documents([0]), EVERY_WINDOW), {removed: [1.0] for removed in EVERY_WINDOW})
    with pytest.raises(CornerstoneError, match="windows of at least 2 players, not 1"):
        Results(path).interactions(max_removed=1)
    with pytest.raises(CornerstoneError, match="no value 'accuracy'"):
        Results(path).interactions(value="accuracy")
