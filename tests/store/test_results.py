"""The tables: pairing, estimates by hand, what a run asked for, what is missing and what is refused."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.coalitions.schedules import ablation, windows
from core.config.gap import Gap
from core.errors import CornerstoneError, Mend
from core.machine.process import here
from core.records.records import RunRecord
from core.statistics.intervals import paired_drop, proportion_interval
from core.values.derived import derived_values
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tests.support.store_records import (
    PLAYERS,
    assignment,
    documents,
    drawn_scores,
    keep,
    keep_all,
    model,
    outcome,
    run,
    task,
    to_run,
)

EVERY_WINDOW = windows(PLAYERS, 4)

scores = partial(drawn_scores, intact=0.6)


def test_drops_are_paired_over_the_documents_that_both_have(path: Path) -> None:
    asked = assignment(documents(range(6)), ablation(PLAYERS))
    intact = [outcome(f"doc-{i}", (), acc) for i, acc in enumerate([1, 1, 0, 1])]  # documents 0..3
    ablated = [outcome(f"doc-{i}", (2,), acc) for i, acc in zip(range(2, 6), [0, 0, 1, 1], strict=True)]  # 2..5
    keep(path, asked, intact + ablated)
    (row,) = Results(path).ablation().rows
    assert (row.player, row.label, row.layer, row.kind, row.n) == (2, "Attn 1", 1, "attn", 2)
    assert (row.acc, row.intact_acc, row.drop) == (0.0, 0.5, 0.5)
    expected = paired_drop(np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    assert (row.drop_low, row.drop_high) == (expected.low, expected.high)


def test_a_coalition_has_a_label_and_its_drop_over_the_documents_shared_with_the_intact_model(path: Path) -> None:
    asked = assignment(documents(range(6)), [(), (2, 3), (5,)])
    intact = [outcome(f"doc-{i}", (), acc) for i, acc in enumerate([1, 1, 0, 1])]  # documents 0..3
    picked = [outcome(f"doc-{i}", (2, 3), acc) for i, acc in zip(range(2, 6), [0, 0, 1, 1], strict=True)]  # 2..5
    keep(path, asked, [*intact, *picked, outcome("doc-5", (5,))])
    rows = {row.label: row for row in Results(path).coalitions().rows}
    assert list(rows) == ["intact", "FFN 2", "Attn 1, FFN 1"]
    expected = paired_drop(np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    shared = rows["Attn 1, FFN 1"]
    assert (shared.n, shared.drop, shared.drop_low, shared.drop_high) == (2, 0.5, expected.low, expected.high)
    assert (shared.intact_acc, shared.acc) == (0.5, 0.0)
    assert (rows["FFN 2"].n, rows["FFN 2"].intact_acc) == (1, None)
    assert (rows["intact"].n, rows["intact"].intact_acc, rows["intact"].acc) == (4, 0.75, 0.75)
    for label in ("intact", "FFN 2"):
        assert (rows[label].drop, rows[label].drop_low, rows[label].drop_high) == (None, None, None)


def test_every_number_of_a_coalition_is_of_the_same_documents(path: Path) -> None:
    asked = assignment(documents(range(4)), [(), (0,)])
    kept = [outcome(f"doc-{i}", (), metrics={"acc": 1.0, "acc_norm": 1.0}) for i in range(2)]
    kept += [outcome(f"doc-{i}", (0,), metrics={"acc": i % 2, "acc_norm": i / 4}) for i in range(1, 4)]
    keep(path, asked, kept)
    for value, acc, norm in (("acc", 1.0, 0.25), ("acc_norm", 0.25, 0.25)):
        _, row = Results(path).coalitions(value=value).rows
        assert (row.n, row.acc, row.intact_acc, row.drop, row.acc_norm) == (1, acc, 1.0, 1 - acc, norm)


def test_where_all_documents_agree_there_is_no_standard_error_but_an_interval(path: Path) -> None:
    acc = {removed: [float(0 not in removed)] * 8 for removed in ablation(PLAYERS)}
    keep_all(path, assignment(documents(range(8)), ablation(PLAYERS)), acc)
    first, second = Results(path).ablation().rows[:2]
    assert (first.acc_se, first.drop, second.acc_se, second.drop) == (None, 1.0, None, 0.0)
    assert first.drop_low < 1 == first.drop_high
    assert second.drop_low < 0 < second.drop_high
    for row in (*Results(path).ablation().rows, *Results(path).coalitions().rows):
        assert row.acc_se is None
        assert row.acc_low is not None
        assert row.acc_high is not None
        assert (row.acc_low, row.acc_high) == proportion_interval(np.full(8, row.acc))
        assert row.acc_low < row.acc_high


def test_a_player_without_a_document_in_common_has_no_row(path: Path) -> None:
    asked = assignment(documents(range(2)), ablation(PLAYERS))
    keep(path, asked, [outcome("doc-0", ()), outcome("doc-0", (0,)), outcome("doc-1", (1,))])
    assert [row.player for row in Results(path).ablation().rows] == [0]


def test_standard_errors_are_lm_evals_and_null_for_one_document(path: Path) -> None:
    asked = assignment(documents(range(5)), [(), (0,)])
    keep(
        path, asked, [outcome(f"doc-{i}", (), acc) for i, acc in enumerate([1, 0, 1, 1, 0])] + [outcome("doc-0", (0,))]
    )
    intact, single = Results(path).coalitions().rows
    assert intact.acc_se == pytest.approx(np.std([1, 0, 1, 1, 0], ddof=1) / math.sqrt(5), abs=1e-15)
    assert (single.n, single.acc, single.acc_se) == (1, 1.0, None)
    assert [row.acc_se for row in Results(path).ablation().rows] == [None]


def test_chance_is_the_mean_of_one_over_choices_and_null_where_nothing_is_chosen(path: Path) -> None:
    mixed = documents([0], choices=2) + documents([1], choices=4)
    keep_all(path, assignment(mixed, ablation(PLAYERS)), scores(ablation(PLAYERS), 2))
    assert {row.chance for row in Results(path).ablation().rows} == {0.375}
    assert {row.chance for row in Results(path).ablation(value="acc_norm").rows} == {0.375}
    assert {row.chance for row in Results(path).ablation(value="margin").rows} == {None}
    cloze = assignment(documents([0], choices=1), ablation(PLAYERS), of_task=task("lambada", means=("acc",)))
    keep_all(path, cloze, scores(ablation(PLAYERS), 1), run_id="run2")
    assert {row.chance for row in Results(path).ablation(Selection(task="lambada")).rows} == {None}


def hand_phi(v: dict[Removed, float], player: int, *, ends: bool) -> float:
    """The estimators as PAPER's text has them, on means, by enumerating windows."""
    terms = []
    for size, start in itertools.product(range(1, 5), range(PLAYERS)):
        window = tuple(range(start, start + size))
        if window[-1] >= PLAYERS:
            continue
        if player == window[0] or (ends and player == window[-1]):
            terms.append(v[tuple(p for p in window if p != player)] - v[window])
    return sum(terms) / len(terms)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), value=st.sampled_from(["acc", "acc_norm"]))
def test_shapley_equals_a_hand_calculation_from_the_coalitions(
    tmp_path_factory: pytest.TempPathFactory, seed: int, value: str
) -> None:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    keep_all(path, assignment(documents(range(7)), EVERY_WINDOW), scores(EVERY_WINDOW, 7, seed))
    v = {row.removed: getattr(row, value) for row in Results(path).coalitions().rows}
    rows = Results(path).shapley(value=value).rows
    assert [(row.estimator, row.player) for row in rows] == [
        (name, player) for name in ("window-first", "window-ends") for player in range(PLAYERS)
    ]
    for row in rows:
        assert row.phi == pytest.approx(hand_phi(v, row.player, ends=row.estimator == "window-ends"), abs=1e-12)
        assert row.phi_clipped == max(row.phi, 0)
        assert (row.n, row.value, row.max_removed) == (7, value, 4)
    for name in ("window-first", "window-ends"):
        mine = [row for row in rows if row.estimator == name]
        assert sorted(row.rank for row in mine) == list(range(1, PLAYERS + 1))
        if any(row.phi_clipped for row in mine):
            assert sum(row.share or 0 for row in mine) == pytest.approx(1)
        else:
            assert {row.share for row in mine} == {None}


def test_a_shapley_value_reads_the_documents_that_have_every_coalition_of_its_own(path: Path) -> None:
    asked = assignment(documents(range(5)), EVERY_WINDOW)
    acc = scores(EVERY_WINDOW, 5)
    recorder = keep(
        path, asked, [outcome(f"doc-{i}", removed, acc[removed][i]) for removed in EVERY_WINDOW for i in range(3)]
    )
    recorder.record("run1", asked, [outcome("doc-4", removed) for removed in EVERY_WINDOW[:-1]])
    before = Results(path).shapley(estimator="window-first").rows
    # The last window alone, of the last four of six players, begins with player 2.
    assert {row.player: row.n for row in before} == {0: 4, 1: 4, 2: 3, 3: 4, 4: 4, 5: 4}
    means = {removed: sum(acc[removed][:3]) / 3 for removed in EVERY_WINDOW}
    assert before[2].phi == pytest.approx(hand_phi(means, 2, ends=False), abs=1e-12)


def test_a_share_is_null_where_nothing_matters_and_se_for_one_document(path: Path) -> None:
    keep_all(path, assignment(documents([0]), EVERY_WINDOW), {removed: [1.0] for removed in EVERY_WINDOW})
    rows = Results(path).shapley().rows
    assert {(row.phi, row.se, row.share, row.share_low, row.share_high) for row in rows} == {
        (0, None, None, None, None)
    }


def test_missing_coalitions_are_a_sentence_with_the_run_that_fills_it(path: Path) -> None:
    keep_all(path, assignment(documents(range(2)), ablation(PLAYERS)), scores(ablation(PLAYERS), 2))
    answer = Results(path).shapley(max_removed=2)
    assert answer.gaps == ()
    what = "partial, from windows of up to 1, as 5 of 12 coalitions are missing for windows of up to 2"
    assert answer.partial == (Gap(f"tiny on capitals: {what}", to_run(schedule="windows", max_removed=2)),)
    assert answer.notes == ()
    assert {(row.max_removed, row.partial) for row in answer.rows} == {(1, True)}
    assert len(Results(path).shapley(max_removed=1).rows) == 2 * PLAYERS


def test_one_task_without_windows_does_not_hide_another(path: Path) -> None:
    whole = assignment(documents(range(2)), EVERY_WINDOW)
    keep_all(path, whole, scores(EVERY_WINDOW, 2), run_id="a")
    part = assignment(documents(range(2)), [(1,)], of_task=task("opposites"))
    keep_all(path, part, scores([(1,)], 2), run_id="b")
    shapley = Results(path).shapley()
    assert {row.task for row in shapley.rows} == {"capitals"}
    assert len(shapley.gaps) == 1
    ablation_answer = Results(path).ablation()
    assert {row.task for row in ablation_answer.rows} == {"capitals"}
    assert "opposites: no document has both the intact model" in ablation_answer.gaps[0].what


def test_the_run_that_fills_a_gap_is_like_that_of_the_most_documents(path: Path) -> None:
    config = '{"model": "/models/tiny", "limit": 5, "seed": 3, "tasks": [{"name": "x"}, {"name": "capitals"}]}'
    recorder = StoreRecorder(path)
    for number, (text, count) in enumerate([("{}", 2), (config, 5), ("{}", 3)]):
        recorder.begin(RunRecord(f"run{number}", "cornerstone run my.yaml", text, "{}", 0))
        recorder.assign(f"run{number}", assignment(documents(range(count)), [()]))
    (gap,) = Results(path).ablation().gaps
    assert gap.fill == to_run(model="/models/tiny", schedule="ablation", limit=5, seed=3)


@pytest.mark.slow
def test_while_a_run_goes_on_elsewhere_a_gap_says_so(path: Path) -> None:
    recorder = StoreRecorder(path)
    elsewhere = {**here(), "host": "another machine"}
    processes = {"own": here(), "away": elsewhere, "gone": {**here(), "began": "0"}, "unknown": {"torch": "2"}}
    for run_id, process in processes.items():
        recorder.begin(replace(run(run_id), versions=json.dumps(process)))
        recorder.assign(run_id, assignment(documents([0]), [()]))
    (gap,) = Results(path).ablation().gaps
    assert (gap.fill, gap.writing) == (to_run(schedule="ablation"), ("away",))
    assert str(gap) == f"{gap.what}; run away is still writing"
    recorder.begin(replace(run("bway"), versions=json.dumps(elsewhere)))
    recorder.assign("bway", assignment(documents([0]), [()]))
    assert str(Results(path).ablation().gaps[0]).endswith("; runs away, bway are still writing")
    for run_id in ("away", "bway"):
        recorder.finish(run_id, "finished")
    assert Results(path).ablation().gaps == (Gap(gap.what, to_run(schedule="ablation")),)


DERIVED = ", ".join(derived_values())


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("f1", rf"'f1' of capitals is not a mean .*\(usable: acc, acc_norm, {DERIVED}\)"),
        ("accuracy", f"^no value 'accuracy'; there are acc, acc_norm, {DERIVED}$"),
        ("gold_logprop", f"^no value 'gold_logprop'; did you mean gold_logprob[?] there are acc, acc_norm, {DERIVED}$"),
        ('x") FROM models; --', f"^no value .*; there are acc, acc_norm, {DERIVED}$"),
    ],
)
def test_what_is_no_mean_over_documents_is_refused_as_a_value(path: Path, value: str, sentence: str) -> None:
    keep_all(path, assignment(documents([0]), EVERY_WINDOW), scores(EVERY_WINDOW, 1))
    StoreRecorder(path).assign("run1", assignment(documents([0]), [()], of_task=task("opposites")))
    for read in (Results(path).ablation, Results(path).shapley):
        with pytest.raises(CornerstoneError, match=sentence):
            read(value=value)


def test_another_mean_metric_is_a_value_like_acc(path: Path) -> None:
    asked = assignment(documents(range(3)), [(), (0,)], of_task=task(means=("brier score", "acc")))
    kept = [
        outcome(f"doc-{i}", removed, metrics={"acc": 1.0, "brier score": 0.25 * i + len(removed)})
        for i in range(3)
        for removed in asked.coalitions
    ]
    keep(path, asked, kept)
    (row,) = Results(path).ablation(value="brier score").rows
    assert (row.value, row.acc, row.intact_acc, row.drop) == ("brier score", 1.25, 0.25, -1.0)


def test_a_task_without_acc_says_what_it_has_and_keeps_its_outcomes(path: Path) -> None:
    pages = documents([0], choices=1)
    asked = assignment(pages, [(), (0,)], of_task=task("wikitext", means=(), others=("perplexity",)))
    keep(path, asked, [outcome("doc-0", removed, logprobs=[-2.0], metrics={}) for removed in asked.coalitions])
    with pytest.raises(CornerstoneError, match="'acc' of wikitext is not a mean"):
        Results(path).ablation()
    assert [(row.n, row.acc, row.acc_se, row.acc_norm) for row in Results(path).coalitions().rows] == [
        (1, None, None, None),
        (1, None, None, None),
    ]
    assert len(Results(path).outcomes().rows) == 2


def test_a_run_is_what_it_asked_for_whoever_evaluated_it(path: Path) -> None:
    wide = assignment(documents(range(6)), ablation(PLAYERS))
    recorder = keep_all(path, wide, scores(ablation(PLAYERS), 6), run_id="wide")
    narrow = assignment(documents([1, 4]), [(), (3,)])
    recorder.begin(run("narrow"))
    recorder.assign("narrow", narrow)
    chosen = Selection(run="narrow")
    assert [(row.player, row.n) for row in Results(path).ablation(chosen).rows] == [(3, 2)]
    assert [(row.removed, row.n) for row in Results(path).coalitions(chosen).rows] == [((), 2), ((3,), 2)]
    assert [(row.removed, row.doc_id) for row in Results(path).outcomes(chosen).rows] == [
        ((), 1),
        ((), 4),
        ((3,), 1),
        ((3,), 4),
    ]
    assert {row.n for row in Results(path).ablation(Selection(run="wide")).rows} == {6}


def test_runs_count_what_they_asked_for_and_what_they_evaluated(path: Path) -> None:
    first, second = (
        assignment(documents(range(3)), ablation(PLAYERS)),
        assignment(documents(range(2)), [(), (0, 1)], of_task=task("opposites")),
    )
    recorder = keep_all(path, first, scores(ablation(PLAYERS), 3))
    recorder.assign("run1", second)
    recorder.begin(run("empty", "cornerstone run"))
    rows = {row.run: row for row in Results(path).runs().rows}
    one = rows["run1"]
    assert (one.model, one.tasks, one.documents) == ("tiny", ("capitals", "opposites"), 5)
    assert (one.coalitions, one.outcomes) == (1 + PLAYERS + 1, 3 * (1 + PLAYERS))
    none = rows["empty"]
    assert (none.model, none.tasks, none.documents, none.coalitions, none.outcomes) == ("", (), 0, 0, 0)
    with pytest.raises(CornerstoneError, match="run empty asked for no results"):
        Results(path).ablation(Selection(run="empty"))


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (Selection(model="tiney"), "no model 'tiney' in the store; did you mean tiny? it holds tiny, huge"),
        (Selection(task="capitols"), "no task 'capitols' in the store; did you mean capitals? it holds capitals"),
        (Selection(task="zzz"), "no task 'zzz' in the store; it holds capitals"),
        (Selection(run="run9"), "no run 'run9' in the store; did you mean run1? it holds run1"),
        (Selection(task="capitals@00000000"), "no task 'capitals@00000000' in the store; "),
    ],
)
def test_a_name_that_fits_nothing_is_one_sentence_with_what_is_there(
    path: Path, selection: Selection, sentence: str
) -> None:
    recorder = keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    recorder.assign("run1", assignment(documents([0]), [()], of_model=model("huge")))
    read = Results(path)
    for table in (read.ablation, read.coalitions, read.outcomes, read.shapley):
        with pytest.raises(CornerstoneError) as error:
            table(selection)
        known = sentence.replace("tiny, huge", "huge, tiny")
        assert str(error.value).startswith(known)
        assert "\n" not in str(error.value)


def test_models_are_selected_by_name_or_id(path: Path) -> None:
    docs = documents([0])
    recorder = keep(path, assignment(docs, [()]), [outcome("doc-0", (), 1.0)])
    half = assignment(docs, [()], of_model=model(dtype="bfloat16"))
    recorder.assign("run1", half)
    recorder.record("run1", half, [outcome("doc-0", (), 0.0)])
    both = Results(path).coalitions(Selection(model="tiny")).rows
    assert len(both) == 2
    for row in both:
        for name in (row.model_id, f"tiny@{row.model_id}"):
            assert Results(path).coalitions(Selection(model=name)).rows == (row,)


def test_one_place_of_a_data_set_rendered_in_two_ways_keeps_both(path: Path) -> None:
    # The same evaluation data, other few-shot examples: fingerprints of task and data agree, the documents differ.
    recorder = keep(path, assignment(documents([0]), [()]), [outcome("doc-0", (), 1.0)])
    again = assignment(documents([0], prefix="other"), [()])
    recorder.assign("run1", again)
    recorder.record("run1", again, [outcome("other-0", (), 0.0)])
    assert [(row.n, row.acc) for row in Results(path).coalitions().rows] == [(2, 0.5)]


def test_an_unknown_estimator_is_refused_before_the_store_is_opened(path: Path) -> None:
    with pytest.raises(
        CornerstoneError, match="no estimator 'exakt'; there is window-first, window-ends, window-extrapolation, leave-"
    ):
        Results(path).shapley(estimator="exakt")


def test_a_store_in_which_nothing_was_asked_says_so(path: Path) -> None:
    StoreRecorder(path).begin(run())
    with pytest.raises(CornerstoneError, match=r"holds no results yet$") as refused:
        Results(path).coalitions()
    assert refused.value.mend == Mend.MAKE_RESULTS


def test_a_run_whose_process_is_gone_was_stopped(path: Path) -> None:
    recorder = StoreRecorder(path)
    processes = {"alive": here(), "gone": {**here(), "pid": "99999999"}, "away": {**here(), "host": "another machine"}}
    for run_id, process in processes.items():
        recorder.begin(replace(run(run_id), versions=json.dumps(process)))
    states = {row.run: row.state for row in Results(path).runs().rows}
    assert states == {"alive": "running", "gone": "stopped", "away": "unknown"}
