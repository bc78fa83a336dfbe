"""Values in, points out: a live task reports the numbers that the store's results report of the same outcomes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.coalitions.grouping import SUBLAYERS, grouping
from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import INTACT, ablation, windows
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.exact import Exact
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.evaluator.live_task import LiveTask, live_task_key
from core.evaluator.protocol import parse_event
from core.records.draw import Draw
from core.records.records import Assignment, DocumentRecord, Outcome
from core.study.plan import Until, UntilCost
from core.study.running_estimate import RunningEstimate
from core.summaries.points import AblationPoint, ShapleyPoint
from core.summaries.summarize import ablation_points, coalition_point, shapley_points
from core.values.derived import derived_values
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import KINDS, PLAYERS, assignment, data, documents, keep, model, outcome, task

players = players_of(KINDS)


def game(docs: Sequence[DocumentRecord] = documents((4, 2, 0, 3, 1)), longest: int = 2) -> Assignment:
    """Assign five documents, in another order than the data's, under every window."""
    return assignment(docs, windows(PLAYERS, longest))


def outcomes_of(asked: Assignment, seed: int = 0) -> list[Outcome]:
    rng = random.Random(seed)
    keys = dict.fromkeys(document.key for document in asked.documents)
    return [outcome(key, removed, float(rng.random() < 0.6)) for removed in asked.coalitions for key in keys]


def scores_of(asked: Assignment, outcomes: Sequence[Outcome]) -> dict[Removed, np.ndarray]:
    """Return the values of each coalition, put together the plain way, in the order of the data."""
    acc = {(one.document, one.removed): one.metrics["acc"] for one in outcomes}
    docs = sorted(asked.documents, key=lambda document: document.doc_id)
    return {
        removed: np.array([acc.get((document.key, removed), np.nan) for document in docs])
        for removed in asked.coalitions
    }


def test_what_a_live_task_says_is_what_report_says_of_the_same_numbers() -> None:
    asked = game()
    outcomes = outcomes_of(asked)
    live_task = LiveTask(asked, players)
    for part in (outcomes[:7], outcomes[7:]):
        assert live_task.add(asked, part)
    scores = scores_of(asked, outcomes)
    charts = live_task.charts(2)
    assert charts.task == live_task.key == live_task_key(asked)
    assert charts.intact == coalition_point(scores, INTACT) == live_task.coalition(INTACT)
    assert charts.ablation == tuple(ablation_points(scores, np.full(5, 4.0), players, "acc"))
    assert charts.shapley == tuple(
        shapley_points(estimate(WindowFirst(2), scores, PLAYERS), grouping(SUBLAYERS, players))
    )
    assert (charts.estimator, charts.settings) == ("window-first", ("windows of up to 2",))
    assert live_task.coalition((2, 3)) == coalition_point(scores, (2, 3))
    assert live_task.coalition((0, 5)) is None
    assert parse_event(charts.model_dump_json()) == charts


def test_where_only_shorter_windows_are_stored_the_shares_are_of_these() -> None:
    asked = game()
    live_task = LiveTask(asked, players)
    live_task.add(asked, outcomes_of(asked))
    longer, short = live_task.charts(4), live_task.charts(2)
    assert longer.shapley == short.shapley
    assert (longer.estimator, longer.settings) == ("window-first", ("windows of up to 2",))
    exact = live_task.charts(4, Question(Exact(), "layers"))
    assert (exact.shapley, exact.settings) == (short.shapley, short.settings)
    single = game(longest=1)
    live_task = LiveTask(single, players)
    live_task.add(single, outcomes_of(single))
    alone = live_task.charts(4)
    assert (alone.shapley, alone.settings) == ((), ("windows of up to 4",)), "an ablation alone has no shares"


def test_it_is_what_results_read_from_the_store_intervals_included(tmp_path: Path) -> None:
    asked = game()
    outcomes = outcomes_of(asked)
    keep(tmp_path / "s.duckdb", asked, outcomes)
    live_task = LiveTask(asked, players, draw=Draw(0, 5))
    live_task.add(asked, outcomes)
    charts, results = live_task.charts(2), Results(tmp_path / "s.duckdb")
    for points, rows in (
        (charts.ablation, results.ablation().rows),
        (charts.shapley, results.shapley(estimator=charts.estimator, max_removed=2).rows),
    ):
        assert len(points) == len(rows) == PLAYERS
        for point, row in zip(points, rows, strict=True):
            assert isinstance(point, AblationPoint | ShapleyPoint)
            assert all(getattr(row, name) == getattr(point, name) for name in type(point).__slots__)
    assert {point.verdict for point in charts.shapley} == {"open"}
    in_file_order = LiveTask(asked, players)
    in_file_order.add(asked, outcomes)
    assert {point.verdict for point in in_file_order.charts(2).shapley} == {None}


def test_costs_are_told_alike_by_a_run_the_live_task_and_the_store(tmp_path: Path) -> None:
    size = data().size
    docs = documents(Draw(0, size).doc_ids()[:90])
    asked, rng = game(docs, longest=1), random.Random(3)
    outcomes = [
        outcome(document.key, removed, float(rng.random() >= 0.8 * (removed == (3,)) + 0.3 * (removed == (1,))))
        for document in docs
        for removed in asked.coalitions
    ]
    keep(tmp_path / "s.duckdb", asked, outcomes)
    live_task = LiveTask(asked, players, draw=Draw(0, size))
    live_task.add(asked, outcomes)
    points = live_task.charts(1, None, UntilCost(0.3, 0.95)).ablation
    rows = Results(tmp_path / "s.duckdb").ablation(cost=0.3).rows
    running = RunningEstimate(task(), docs, Question(WindowFirst(1)).of(players), "acc", UntilCost(0.3, 0.95))
    running.add(outcomes)
    running.look()
    assert running.verdicts is not None
    told = [(point.verdict, point.verdict_n, point.verdict_cost) for point in points]
    assert told == [(row.verdict, row.verdict_n, row.verdict_cost) for row in rows]
    assert [each[:2] for each in told] == list(zip(running.verdicts.standings, running.verdicts.documents, strict=True))
    assert (told[3][0], told[1][0], told[0][0]) == ("above", "open", "below")
    assert {point.verdict for point in live_task.charts(1).ablation} == {None}
    assert {row.verdict for row in Results(tmp_path / "s.duckdb").ablation().rows} == {None}


def test_a_document_without_the_value_ends_no_race(tmp_path: Path) -> None:
    """It is the first that was drawn; a live task, a run and the store tell the same of the others."""
    size = data().size
    drawn = Draw(0, size).doc_ids()
    first, *others = documents(drawn[:60])
    docs = (replace(first, gold=(0, 1)), *others)
    asked = game(docs, longest=1)
    rng = np.random.default_rng(0)

    def logprobs(document: DocumentRecord, removed: Removed) -> list[float]:
        lost = 6.0 if removed == (3,) else rng.random() / 10
        return [-1.0 - lost if choice in document.gold else -2.0 for choice in range(4)]

    outcomes = [
        outcome(document.key, removed, logprobs=logprobs(document, removed))
        for document in docs
        for removed in asked.coalitions
    ]
    keep(tmp_path / "s.duckdb", asked, outcomes)
    live_task = LiveTask(asked, players, "gold_prob", draw=Draw(0, size))
    live_task.add(asked, outcomes)
    points = live_task.charts(1).shapley
    rows = Results(tmp_path / "s.duckdb").shapley(value="gold_prob", max_removed=1, estimator="window-first").rows
    running = RunningEstimate(task(), docs, Question(WindowFirst(1)).of(players), "gold_prob", Until(3, 0.95))
    running.add(outcomes)
    running.look()
    assert running.verdicts is not None
    told = [point.verdict for point in points]
    assert told == [row.verdict for row in rows] == list(running.verdicts.standings)
    assert told[3] == "in"
    assert points[3].verdict_n == running.verdicts.documents[3] < 60


@pytest.mark.parametrize("lacking", [None, (), (3,), (5,)])
def test_a_metric_that_one_document_lacks_ends_no_race(lacking: Removed | None, tmp_path: Path) -> None:
    """A task's code may give a document no such metric, under one coalition or (None) under all."""
    size = data().size
    docs = documents(Draw(0, size).doc_ids()[:60])
    asked, rng = game(docs, longest=1), random.Random(4)
    outcomes = [
        outcome(
            document.key,
            removed,
            float(rng.random() >= 0.9 * (removed == (3,))),
            metrics={} if at == 2 and lacking in {None, removed} else None,
        )
        for at, document in enumerate(docs)
        for removed in asked.coalitions
    ]
    keep(tmp_path / "s.duckdb", asked, outcomes)
    live_task = LiveTask(asked, players, draw=Draw(0, size))
    live_task.add(asked, outcomes)
    for until in (Until(1, 0.95), UntilCost(0.3, 0.95)):
        running = RunningEstimate(task(), docs, Question(WindowFirst(1)).of(players), "acc", until)
        running.add(outcomes)
        running.look()
        assert running.verdicts is not None
        assert running.verdicts.decided
        if isinstance(until, UntilCost):
            points = live_task.charts(1, None, until).ablation
            rows = Results(tmp_path / "s.duckdb").ablation(cost=0.3).rows
            told = [(point.verdict, point.verdict_n) for point in points]
            assert told == [(row.verdict, row.verdict_n) for row in rows]
            assert told == list(zip(running.verdicts.standings, running.verdicts.documents, strict=True))
    rows = Results(tmp_path / "s.duckdb").shapley(max_removed=1, estimator="window-first").rows
    assert [point.verdict for point in live_task.charts(1).shapley] == [row.verdict for row in rows]
    assert rows[3].verdict == "in"


def test_what_the_store_has_is_loaded_as_if_it_had_been_heard(tmp_path: Path) -> None:
    asked = game()
    outcomes = outcomes_of(asked)
    recorder = keep(tmp_path / "s.duckdb", asked, outcomes[:-3])
    heard, loaded = LiveTask(asked, players), LiveTask(asked, players)
    heard.add(asked, outcomes[:-3])
    loaded.load(recorder.values(asked, loaded.column))
    assert loaded.charts(2) == heard.charts(2)
    assert loaded.evaluated(asked) == heard.evaluated(asked) == recorder.stored(asked)
    for live_task in (heard, loaded):
        live_task.add(asked, outcomes[-3:])
    assert loaded.charts(2) == heard.charts(2)


def test_nothing_is_loaded_from_a_store_that_has_nothing_of_it(tmp_path: Path) -> None:
    asked = game()
    live_task = LiveTask(asked, players)
    live_task.load(StoreRecorder(tmp_path / "none").values(asked, "acc"))
    other = assignment(asked.documents, [INTACT], of_task=task("other"))
    live_task.load(keep(tmp_path / "s.duckdb", other, outcomes_of(other)).values(asked, "acc"))
    assert live_task.charts(2).intact is None
    assert live_task.evaluated(asked) == {document.key: frozenset() for document in asked.documents}


def test_a_document_that_occurs_twice_counts_twice(tmp_path: Path) -> None:
    first, second = documents((0, 1))
    asked = game([first, second, replace(first, doc_id=2)])
    outcomes = [
        outcome(document.key, removed, float(document is first and not removed))
        for removed in asked.coalitions
        for document in (first, second)
    ]
    recorder = keep(tmp_path / "s.duckdb", asked, outcomes)
    heard, loaded = LiveTask(asked, players), LiveTask(asked, players)
    heard.add(asked, outcomes)
    loaded.load(recorder.values(asked, "acc"))
    for live_task in (heard, loaded):
        intact = live_task.charts(1).intact
        assert intact is not None
        assert (intact.n, intact.acc) == (3, pytest.approx(2 / 3))
        assert live_task.bench_task.documents == 3
    rows = Results(tmp_path / "s.duckdb").coalitions().rows
    assert (rows[0].n, rows[0].acc) == (3, pytest.approx(2 / 3))


@pytest.mark.parametrize("other", [{"of_model": model("other")}, {"of_task": task("capitals", shots=5)}])
def test_outcomes_of_another_game_are_refused(other: dict[str, object]) -> None:
    asked = game()
    stranger = assignment(asked.documents, asked.coalitions, **other)  # type: ignore[arg-type]
    live_task = LiveTask(asked, players)
    assert not live_task.add(stranger, outcomes_of(stranger))
    assert not live_task.holds(stranger)
    assert live_task.charts(2).intact is None


def test_documents_of_another_choice_are_passed_over() -> None:
    asked = game(documents((0, 1)))
    more = game(documents((1, 2)))
    live_task = LiveTask(asked, players)
    assert live_task.add(more, outcomes_of(more))
    intact = live_task.coalition(INTACT)
    assert intact is not None
    assert intact.n == 1
    assert not live_task.holds(more)
    assert live_task.holds(game(documents((1,))))


def test_what_is_evaluated_is_told_exactly() -> None:
    asked = game()
    live_task = LiveTask(asked, players)
    live_task.add(
        asked, [outcome("doc-3", (1,)), outcome("doc-3", INTACT), outcome("doc-0", (0, 5)), outcome("doc-0", (1,))]
    )
    part = assignment(documents((3, 0, 1)), [INTACT, (1,), (2,)])
    assert live_task.evaluated(part) == {"doc-3": {INTACT, (1,)}, "doc-0": {(1,)}, "doc-1": frozenset()}


def test_shapley_values_wait_until_all_windows_share_a_document() -> None:
    asked = game()
    live_task = LiveTask(asked, players)
    alone = assignment(asked.documents, ablation(PLAYERS))
    live_task.add(alone, outcomes_of(alone))
    assert live_task.charts(2).shapley == ()
    assert {point.n for point in live_task.charts(1).shapley} == {5}
    last = asked.coalitions[-1]
    live_task.add(asked, [one for one in outcomes_of(asked) if one.removed != last])
    live_task.add(asked, [outcome("stranger", last)])
    assert live_task.charts(2).shapley == ()
    live_task.add(asked, [outcome("doc-3", last, 1.0)])
    # The last window begins with player 4. Only this player needs it, and only one document has it.
    assert [point.n for point in live_task.charts(2).shapley] == [5, 5, 5, 5, 1, 5]


def test_a_value_that_is_no_number_is_evaluated_but_no_point() -> None:
    """The store keeps such a value as NULL."""
    asked = game(documents((0, 1, 2)))
    live_task = LiveTask(asked, players)
    values = {"doc-0": float("inf"), "doc-1": float("nan"), "doc-2": 1.0}
    live_task.add(asked, [outcome(key, INTACT, metrics={"acc": value}) for key, value in values.items()])
    live_task.add(asked, [outcome("doc-0", (1,), metrics={})])
    charts = live_task.charts(2)
    assert charts.intact is not None
    assert (charts.intact.n, charts.intact.acc) == (1, 1.0)
    assert charts.ablation == ()
    assert live_task.evaluated(asked)["doc-0"] == {INTACT, (1,)}
    assert parse_event(charts.model_dump_json()) == charts


@pytest.mark.parametrize(
    ("means", "value"),
    [(("acc_norm", "acc"), "acc"), (("likelihood_diff", "pct"), "likelihood_diff"), ((), "gold_logprob")],
)
def test_accuracy_is_charted_or_else_the_first_mean_or_what_is_derived(means: tuple[str, ...], value: str) -> None:
    asked = assignment(documents((0,)), [INTACT], of_task=task(means=means))
    assert LiveTask(asked, players).bench_task.value == value


def test_the_key_tells_apart_whatever_changes_a_number() -> None:
    docs = documents((0, 1))
    asked = assignment(docs, [INTACT])
    others = [
        assignment(docs[:1], [INTACT]),
        assignment(docs, [INTACT], of_model=model(dtype="bfloat16")),
        assignment(docs, [INTACT], of_task=task(shots=1)),
        assignment(docs, [INTACT], of_data=data("other")),
    ]
    assert len({live_task_key(one) for one in (asked, *others)}) == 5
    assert live_task_key(assignment(docs, [INTACT, (0,)])) == live_task_key(asked)
    assert LiveTask(asked, players).bench_task.chance == 0.25
    assert LiveTask(assignment(documents((0,), choices=1), [INTACT]), players).bench_task.chance is None


def test_another_question_is_answered_in_place_of_the_windows_as_soon_as_it_can_be(tmp_path: Path) -> None:
    question = Question(Exact(), "kinds")
    asked = game()
    live_task = LiveTask(asked, players)
    live_task.add(asked, outcomes_of(asked))
    assert live_task.charts(2, question) == live_task.charts(2)
    kinds = assignment(asked.documents, [(0, 2, 4), (1, 3, 5), (0, 1, 2, 3, 4, 5)])
    more = outcomes_of(kinds, seed=1)
    live_task.add(kinds, more)
    charts = live_task.charts(2, question)
    assert charts.estimator == "exact"
    keep(tmp_path / "s.duckdb", assignment(asked.documents, [*asked.coalitions, *kinds.coalitions]), [
        *outcomes_of(asked), *more
    ])  # fmt: skip
    rows = Results(tmp_path / "s.duckdb").shapley(estimator="exact", players="kinds").rows
    assert [(p.label, p.phi, p.share_low) for p in charts.shapley] == [(r.label, r.phi, r.share_low) for r in rows]
    assert charts.ablation == live_task.charts(2).ablation


def test_it_tells_what_its_documents_may_be_looked_at_by() -> None:
    asked = game()
    assert LiveTask(asked, players).bench_task.values == ("acc", "acc_norm", *derived_values())
    assert LiveTask(assignment(documents((0,), choices=1), [INTACT]), players).bench_task.values == ("acc", "acc_norm")


def test_a_value_that_the_task_lacks_is_refused_and_a_task_without_any_is_still_followed(tmp_path: Path) -> None:
    cloze = assignment(documents((0, 1), choices=1), [INTACT, (1,)], of_task=task(means=()))
    with pytest.raises(CornerstoneError, match="capitals has no value 'acc'; it has none"):
        LiveTask(cloze, players, "acc")
    outcomes = [outcome(d.key, removed, logprobs=[-2.0], metrics={}) for d in cloze.documents for removed in [(), (1,)]]
    heard, loaded = LiveTask(cloze, players), LiveTask(cloze, players)
    heard.add(cloze, outcomes)
    recorder = keep(tmp_path / "s.duckdb", cloze, outcomes)
    loaded.load(recorder.values(cloze, loaded.column))
    for live_task in (heard, loaded):
        assert (live_task.value, live_task.bench_task.value, live_task.bench_task.values) == (None, "no value", ())
        assert live_task.evaluated(cloze) == recorder.stored(cloze)
        assert live_task.charts(2).intact is None


def pages_of(asked: Assignment, nats: dict[Removed, float]) -> list[Outcome]:
    """Return outcomes of texts of ten words each: 3 nats a word and 0.2 more for each removed, but for some."""
    return [
        outcome(
            document.key,
            removed,
            logprobs=(loglikelihood,),
            metrics={},
            other={"word_perplexity": [loglikelihood, 10]},
        )
        for removed in asked.coalitions
        for document in asked.documents
        for loglikelihood in [-10 * nats.get(removed, 3 + 0.2 * len(removed) + 0.01 * document.doc_id)]
    ]


def test_a_perplexity_beyond_all_numbers_leaves_the_charts_that_do_not_need_it() -> None:
    texts = assignment(
        documents(range(8), choices=1), windows(PLAYERS, 2), of_task=task(means=(), others=("word_perplexity",))
    )
    by_hand = replace(texts, coalitions=[(0, 3)])
    for nats, units in (({}, PLAYERS), ({(1, 2): 800.0}, 0)):
        live_task = LiveTask(texts, players, "word_perplexity")
        live_task.add(texts, pages_of(texts, nats))
        live_task.add(by_hand, pages_of(by_hand, {(0, 3): 800.0}))
        charts = live_task.charts(2)
        assert (len(charts.ablation), len(charts.shapley)) == (PLAYERS, units)
        assert live_task.coalition((0, 3)) is None
    live_task = LiveTask(texts, players, "word_perplexity")
    live_task.add(texts, pages_of(texts, {(5,): 800.0}))
    assert live_task.charts(2).ablation == ()
    assert live_task.charts(2).intact is not None
