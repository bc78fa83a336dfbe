"""Rounds: a schedule that asks by what it has seen gets, in the end, what its estimator reads, stored or new."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.game import Question
from core.players import Removed, players_of
from core.records import Outcome
from core.watch import Watch, default_value, usable_values
from tests.store.records import KINDS, PLAYERS, documents, outcome, task

DOCUMENTS = documents((2, 0, 1, 3))
QUESTION = Question("permutation", permutations=8, tolerance=0.1)
GAME = QUESTION.of(players_of(KINDS))


def acc(key: str, removed: Removed) -> float:
    """A game that is lost bit by bit, and has nothing left once five are gone."""
    if len(removed) >= 5:
        return 0.0
    return max(0.0, 1 - 0.15 * len(removed) - 0.2 * (0 in removed) - 0.01 * random.Random(key).random())


def evaluated(removed: Removed) -> list[Outcome]:
    return [outcome(document.key, removed, acc(document.key, removed)) for document in DOCUMENTS]


def watched(value: str | None = None) -> Watch:
    return Watch(task(), DOCUMENTS, GAME, value)


def test_rounds_end_with_what_the_estimate_reads_and_no_more_than_a_batch_beyond() -> None:
    watch = watched()
    asked: list[Removed] = []
    rounds = 0
    for wanted in watch.rounds():
        rounds += 1
        assert not set(wanted) & set(asked)
        asked += wanted
        for removed in wanted:
            watch.add(evaluated(removed))
    assert rounds > 1
    outcomes = {removed: np.array([acc(d.key, removed) for d in DOCUMENTS]) for removed in asked}
    assert GAME.estimator.missing(outcomes, PLAYERS) == []
    assert estimate(GAME.estimator, outcomes, PLAYERS).n == len(DOCUMENTS)


def test_what_is_stored_is_named_and_not_waited_for() -> None:
    first = watched()
    asked = []
    for wanted in first.rounds():
        asked += wanted
        for removed in wanted:
            first.add(evaluated(removed))
    again = watched()
    for removed in asked:
        again.add(evaluated(removed))
    (all_at_once,) = again.rounds()
    assert set(all_at_once) == set(asked)


def test_a_coalition_stored_for_some_documents_only_is_asked_for() -> None:
    watch = watched()
    watch.add(evaluated(())[:2])
    assert () in next(watch.rounds())


def test_documents_without_the_value_do_not_hold_up_the_others_but_all_do() -> None:
    watch = Watch(task(), DOCUMENTS, GAME, "margin")
    for wanted in watch.rounds():
        for removed in wanted:
            lost, *rest = evaluated(removed)
            watch.add([outcome(lost.document, removed, logprobs=[-math.inf] * 4), *rest])
    never = Watch(task(), DOCUMENTS, GAME, "margin")
    rounds = never.rounds()
    for removed in next(rounds):
        never.add([outcome(d.key, removed, logprobs=[-math.inf] * 4) for d in DOCUMENTS])
    with pytest.raises(CornerstoneError, match="no document of capitals has a margin under every coalition"):
        next(rounds)


def test_a_value_that_the_task_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(CornerstoneError, match=r"capitals has no f1 to look at .*acc, acc_norm, gold_logprob, margin"):
        watched("f1")
    cloze = documents([0], choices=1)
    with pytest.raises(CornerstoneError, match="nothing of it is a mean over documents"):
        Watch(task(means=()), cloze, GAME, None)
    assert usable_values(task(means=("ppl",)), cloze) == ("ppl",)
    assert default_value(task(means=("f", "acc"))) == "acc"
    assert watched().value == "acc"
    assert Watch(task(means=("f",)), DOCUMENTS, GAME, None).value == "f"
