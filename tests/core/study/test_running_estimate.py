"""Estimates during a run: rounds end with the coalitions that the estimator reads, and a top is decided or open."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest

from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.question import Question
from core.records.records import Outcome
from core.study.events import CostLooked, Phase, TopLooked, TopVerdict
from core.study.left_out import without_values
from core.study.plan import Until, UntilCost
from core.study.running_estimate import RunningEstimate
from tests.support.store_records import KINDS, PLAYERS, data, documents, model, outcome, task

ABLATION = tuple(ablation(PLAYERS))
DOCUMENTS = documents((2, 0, 1, 3))
QUESTION = Question(Permutation(permutations=8, tolerance=0.1))
PHASE = Phase("run1", model(), task(), data(), "windows", 300, 27)
GAME = QUESTION.of(players_of(KINDS))


def acc(key: str, removed: Removed) -> float:
    """A game that is lost bit by bit, and has nothing left once five are gone."""
    if len(removed) >= 5:
        return 0.0
    return max(0.0, 1 - 0.15 * len(removed) - 0.2 * (0 in removed) - 0.01 * random.Random(key).random())


def evaluated(removed: Removed) -> list[Outcome]:
    return [outcome(document.key, removed, acc(document.key, removed)) for document in DOCUMENTS]


def started() -> RunningEstimate:
    return RunningEstimate(task(), DOCUMENTS, GAME, "acc")


def test_rounds_end_with_what_the_estimate_reads_and_no_more_than_a_batch_beyond() -> None:
    running = started()
    asked: list[Removed] = []
    rounds = 0
    for wanted in running.rounds():
        rounds += 1
        assert not set(wanted) & set(asked)
        asked += wanted
        for removed in wanted:
            running.add(evaluated(removed))
    assert rounds > 1
    outcomes = {removed: np.array([acc(d.key, removed) for d in DOCUMENTS]) for removed in asked}
    assert GAME.estimator.missing(outcomes, PLAYERS) == []
    assert estimate(GAME.estimator, outcomes, PLAYERS).n.tolist() == [len(DOCUMENTS)] * PLAYERS


def test_a_decision_is_of_the_documents_up_to_the_first_that_lacks_a_coalition() -> None:
    game = Question(LeaveOneOut()).of(players_of(KINDS))
    running = RunningEstimate(task(), DOCUMENTS, game, "acc", Until(1, 0.95))
    for removed in ABLATION:
        running.add(evaluated(removed)[2:])
    running.look()
    assert running.verdicts is not None
    assert set(running.verdicts.documents) == {0}
    for removed in ABLATION:
        running.add(evaluated(removed)[:1])
    running.look()
    assert set(running.verdicts.documents) == {1}


def test_what_is_stored_is_named_and_not_waited_for() -> None:
    first = started()
    asked = []
    for wanted in first.rounds():
        asked += wanted
        for removed in wanted:
            first.add(evaluated(removed))
    again = started()
    for removed in asked:
        again.add(evaluated(removed))
    (all_at_once,) = again.rounds()
    assert set(all_at_once) == set(asked)


def test_a_coalition_stored_for_some_documents_only_is_asked_for() -> None:
    running = started()
    running.add(evaluated(())[:2])
    assert () in next(running.rounds())


def test_documents_without_the_value_do_not_hold_up_the_others_but_all_do() -> None:
    running = RunningEstimate(task(), DOCUMENTS, GAME, "margin")
    for wanted in running.rounds():
        for removed in wanted:
            lost, *rest = evaluated(removed)
            running.add([outcome(lost.document, removed, logprobs=[-math.inf] * 4), *rest])
    never = RunningEstimate(task(), DOCUMENTS, GAME, "margin")
    rounds = never.rounds()
    for removed in next(rounds):
        never.add([outcome(d.key, removed, logprobs=[-math.inf] * 4) for d in DOCUMENTS])
    with pytest.raises(CornerstoneError, match="no document of capitals has a margin under every coalition"):
        next(rounds)


def looked(
    lost: dict[int, float], count: int, until: Until | UntilCost, coalitions: Sequence[Removed] = ABLATION
) -> RunningEstimate:
    """Return an estimate by leave-one-out over ``count`` documents; removing a player loses its part of them."""
    docs = documents(range(count))
    running = RunningEstimate(task(), docs, Question(LeaveOneOut()).of(players_of(KINDS)), "acc", until)
    for removed in coalitions:
        part = sum(lost.get(player, 0.0) for player in removed)
        rng = random.Random(str(removed))
        running.add([outcome(d.key, removed, float(rng.random() >= part)) for d in docs])
    running.look()
    return running


def told(running: RunningEstimate, *, final: bool) -> TopVerdict:
    found = running.looked(PHASE, final=final)
    assert isinstance(found, TopLooked)
    return found.verdict


def test_a_clear_top_is_decided_and_told_with_the_documents_it_took() -> None:
    running = looked({0: 0.95, 3: 0.8}, 200, Until(2, 0.95))
    said = told(running, final=True)
    assert (said.inside, said.undecided, said.out) == (("Attn 0", "FFN 1"), (), PLAYERS - 2)
    assert said.documents < 200
    assert (said.schedule, said.task, said.k, said.confidence) == ("windows", "capitals", 2, 0.95)
    assert (said.asked, said.size, said.more, said.final) == (300, 100, 0, True)
    assert running.still_needed(ABLATION) == ()


def test_what_is_undecided_is_named_beside_what_is_sure_and_needs_its_own_coalitions() -> None:
    running = looked({0: 0.95, 3: 0.4, 4: 0.35}, 200, Until(2, 0.9))
    said = told(running, final=False)
    assert (said.documents, said.inside, said.undecided) == (200, ("Attn 0",), ("FFN 1", "Attn 2"))
    assert said.out == PLAYERS - 3
    assert said.more is None or said.more > 0
    assert running.still_needed(ABLATION) == ((), (3,), (4,))
    assert not running.look(), "nothing has changed since"


def test_costs_are_told_apart_and_only_open_units_need_further_documents() -> None:
    running = looked({0: 0.95, 3: 0.8, 4: 0.35}, 200, UntilCost(0.3, 0.95))
    found = running.looked(PHASE, final=False)
    assert isinstance(found, CostLooked)
    said = found.verdict
    assert (said.above, said.undecided, said.below) == (("Attn 0", "FFN 1"), ("Attn 2",), PLAYERS - 3)
    assert (said.cost, said.confidence, said.documents, said.asked, said.size) == (0.3, 0.95, 200, 300, 100)
    assert running.still_needed(ABLATION) == ((), (4,))
    decided = looked({0: 0.95, 3: 0.8}, 200, UntilCost(0.3, 0.95))
    assert decided.still_needed(ABLATION) == ()
    end = decided.looked(PHASE, final=True)
    assert isinstance(end, CostLooked)
    assert (end.verdict.undecided, end.verdict.more, end.verdict.documents < 100) == ((), 0, True)
    with pytest.raises(CornerstoneError, match="a cost of 1 cannot be asked about: acc changes by 1 at most"):
        looked({}, 0, UntilCost(1.0, 0.95))


@pytest.mark.parametrize("hole", [(), (0,), (4,)])
def test_an_outcome_that_is_no_number_is_missing_alone(hole: Removed) -> None:
    docs = documents(range(100))
    game = Question(LeaveOneOut()).of(players_of(KINDS))
    running = RunningEstimate(task(), docs, game, "acc", Until(1, 0.95))
    for removed in ABLATION:
        outcomes = [outcome(d.key, removed, float(0 not in removed)) for d in docs]
        if removed == hole:
            outcomes[1] = without_values(outcomes[1])
        running.add(outcomes)
    running.look()
    assert running.verdicts is not None
    assert running.verdicts.units("in") == (0,)
    assert running.verdicts.decided


def test_nothing_is_looked_at_before_there_is_a_document() -> None:
    few = looked({}, 50, Until(1, 0.95), [(), (0,)])
    assert few.verdicts is not None
    assert few.verdicts.units("open") == tuple(range(PLAYERS))
    assert few.still_needed(ABLATION) == ABLATION
    assert looked({}, 0, Until(1, 0.95)).looked(PHASE, final=True) is None


def test_an_estimate_of_drawn_coalitions_is_decided_as_a_whole() -> None:
    """Its contributions read all coalitions, so no unit can be left out."""
    game = Question(Exact()).of(players_of(KINDS[:1]))
    docs = documents(range(60))
    running = RunningEstimate(task(), docs, game, "acc", Until(1, 0.95))
    coalitions = tuple(map(game.grouping.removed, game.estimator.coalitions(game.units)))
    for removed in coalitions:
        running.add([outcome(d.key, removed, float(0 not in removed)) for d in docs])
    running.look()
    assert running.verdicts is not None
    assert running.verdicts.standings == ("in", "out")
    assert running.still_needed(coalitions) == ()
