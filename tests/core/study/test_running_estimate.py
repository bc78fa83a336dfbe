"""Looking on the way: rounds end with what their estimator reads, and a top is decided or said not to be."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation
from core.errors import CornerstoneError
from core.estimators.estimate import estimate
from core.estimators.question import Question
from core.records.records import Outcome
from core.study.events import Phase, TopLooked
from core.study.running_estimate import Watch
from core.values.of_task import default_value, usable_values
from tests.support.store_records import KINDS, PLAYERS, data, documents, model, outcome, task

ABLATION = tuple(ablation(PLAYERS))
DOCUMENTS = documents((2, 0, 1, 3))
QUESTION = Question("permutation", permutations=8, tolerance=0.1)
PHASE = Phase("run1", model(), task(), data(), "windows", 300, 27)
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


def test_a_decision_is_of_the_documents_up_to_the_first_that_lacks_a_coalition() -> None:
    watch = Watch(task(), DOCUMENTS, Question("leave-one-out").of(players_of(KINDS)), None)
    for removed in ABLATION:
        watch.add(evaluated(removed)[2:])
    assert watch.look(1, 0.95) is None
    for removed in ABLATION:
        watch.add(evaluated(removed)[:1])
    look = watch.look(1, 0.95)
    assert look is not None
    assert look.documents == 1


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
    with pytest.raises(
        CornerstoneError, match=r"capitals has no value 'f1'; it has acc, acc_norm, gold_logprob, margin"
    ):
        watched("f1")
    cloze = documents([0], choices=1)
    with pytest.raises(CornerstoneError, match="capitals has no value 'acc'; it has none"):
        Watch(task(means=()), cloze, GAME, None)
    assert usable_values(task(means=("ppl",)), cloze) == ("ppl",)
    assert default_value(task(means=("f", "acc"))) == "acc"
    assert watched().value == "acc"
    assert Watch(task(means=("f",)), DOCUMENTS, GAME, None).value == "f"


def looked(lost: dict[int, float], count: int, coalitions: Sequence[Removed] = ABLATION) -> Watch:
    """A watch of leave-one-out over ``count`` documents, of which a part is lost when a player is removed."""
    docs = documents(range(count))
    watch = Watch(task(), docs, Question("leave-one-out").of(players_of(KINDS)), None)
    for removed in coalitions:
        part = sum(lost.get(player, 0.0) for player in removed)
        rng = random.Random(str(removed))
        watch.add([outcome(d.key, removed, float(rng.random() >= part)) for d in docs])
    return watch


def test_a_clear_top_is_decided_and_told_with_the_documents_it_took() -> None:
    look = looked({0: 0.95, 3: 0.9}, 200).look(2, 0.95)
    assert look is not None
    said = look.told(PHASE, 2, 0.95)
    assert (said.top, said.undecided, said.documents) == (("Attn 0", "FFN 1"), (), 200)
    assert said.sentence == "windows on capitals: top 2 decided at 95%: Attn 0, FFN 1, after 200 of 300 documents"


def test_what_is_undecided_is_named_beside_what_is_sure() -> None:
    look = looked({0: 0.95, 3: 0.4, 4: 0.35}, 200).look(2, 0.9)
    assert look is not None
    assert not look.verdict.decided
    said = look.told(PHASE, 2, 0.9)
    start = "windows on capitals: top 2 at 90% after 200 documents: Attn 0 for sure, undecided between these: "
    assert said.sentence.startswith(start)
    assert {"FFN 1", "Attn 2"} <= set(said.undecided)
    assert re.search(r"about \d+ more documents would be needed|no number of documents in sight", said.sentence)


def test_a_long_list_is_cut_with_its_number_and_a_tie_has_no_end_in_sight() -> None:
    labels = tuple(f"FFN {number}" for number in range(11))
    said = TopLooked(PHASE, 3, 0.95, 64, labels[:3], labels, None)
    assert said.sentence.endswith("FFN 7 and 3 more; no number of documents in sight would tell them apart")
    few = replace(said, more=20, phase=replace(said.phase, data=data(size=10_000)))
    assert few.sentence.endswith("; about 20 more documents would be needed")
    beyond = replace(said, more=1200, phase=replace(said.phase, data=data(size=120)))
    assert beyond.sentence.endswith("; about 1200 more documents would be needed, and the task has 120 in all")


def test_nothing_is_looked_at_before_a_document_has_every_coalition() -> None:
    assert looked({}, 50, [(), (0,)]).look(1, 0.95) is None
    assert looked({}, 0).look(1, 0.95) is None
