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
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.question import Question
from core.records.records import Outcome
from core.study.events import Phase
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
    assert estimate(GAME.estimator, outcomes, PLAYERS).n == len(DOCUMENTS)


def test_a_decision_is_of_the_documents_up_to_the_first_that_lacks_a_coalition() -> None:
    running = RunningEstimate(task(), DOCUMENTS, Question(LeaveOneOut()).of(players_of(KINDS)), "acc")
    for removed in ABLATION:
        running.add(evaluated(removed)[2:])
    assert running.look(1, 0.95) is None
    for removed in ABLATION:
        running.add(evaluated(removed)[:1])
    look = running.look(1, 0.95)
    assert look is not None
    assert look.documents == 1


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


def looked(lost: dict[int, float], count: int, coalitions: Sequence[Removed] = ABLATION) -> RunningEstimate:
    """Return an estimate by leave-one-out over ``count`` documents; removing a player loses its part of them."""
    docs = documents(range(count))
    running = RunningEstimate(task(), docs, Question(LeaveOneOut()).of(players_of(KINDS)), "acc")
    for removed in coalitions:
        part = sum(lost.get(player, 0.0) for player in removed)
        rng = random.Random(str(removed))
        running.add([outcome(d.key, removed, float(rng.random() >= part)) for d in docs])
    return running


def test_a_clear_top_is_decided_and_told_with_the_documents_it_took() -> None:
    look = looked({0: 0.95, 3: 0.9}, 200).look(2, 0.95)
    assert look is not None
    said = look.event(PHASE, 2, 0.95).verdict
    assert (said.top, said.undecided, said.documents) == (("Attn 0", "FFN 1"), (), 200)
    assert (said.schedule, said.task, said.k, said.confidence) == ("windows", "capitals", 2, 0.95)
    assert (said.asked, said.size) == (300, 100)


def test_what_is_undecided_is_named_beside_what_is_sure() -> None:
    look = looked({0: 0.95, 3: 0.4, 4: 0.35}, 200).look(2, 0.9)
    assert look is not None
    assert not look.verdict.decided
    said = look.event(PHASE, 2, 0.9).verdict
    assert (said.documents, said.top[0]) == (200, "Attn 0")
    assert {"FFN 1", "Attn 2"} <= set(said.undecided)
    assert "Attn 0" not in said.undecided
    assert said.more is None or said.more > 0


def test_nothing_is_looked_at_before_a_document_has_every_coalition() -> None:
    assert looked({}, 50, [(), (0,)]).look(1, 0.95) is None
    assert looked({}, 0).look(1, 0.95) is None
