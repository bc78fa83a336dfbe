"""The coalitions that a configuration's schedules evaluate, over units of a grouping; impossible ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.coalitions.grouping import grouping
from core.coalitions.players import players_of, removed_set
from core.coalitions.schedules import ablation, windows
from core.config.run_config import RunConfig, load_config
from core.errors import CornerstoneError
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Question, units_of
from core.estimators.windows import WindowFirst
from core.study.plan import Schedule, Until, UntilCost, charted, schedules_of

PLAYERS = players_of([("attn", "ffn")] * 6)


def planned(**options: Any) -> list[Schedule]:
    return schedules_of(load_config(None, {"tasks": ["agreement"], **options}), PLAYERS)


def test_single_players_are_evaluated_as_ever() -> None:
    first, second = planned(schedule=["ablation", "windows"], max_removed=3)
    assert (first.name, first.coalitions) == ("ablation", tuple(ablation(12)))
    assert (second.name, second.coalitions) == ("windows of 1 to 3", tuple(windows(12, 3)))
    assert (first.question, second.question) == (
        Question(LeaveOneOut()),
        Question(WindowFirst(max_removed=3)),
    )
    assert not first.looks
    (picked,) = planned(remove=["Attn 0,FFN 3"])
    assert (picked.name, picked.coalitions, picked.question) == ("hand-picked sets", ((), (0, 7)), None)


@pytest.mark.parametrize(
    ("schedule", "name", "count"),
    [
        ("ablation", "ablation over blocks:2", 1 + 3),
        ("leave-one-out", "leave-one-out over blocks:2", 1 + 3),
        ("windows", "windows of 1 to 2 over blocks:2", 1 + 3 + 2),
        ("exact", "exact over blocks:2", 2**3),
    ],
)
def test_units_are_removed_whole(schedule: str, name: str, count: int) -> None:
    (found,) = planned(schedule=schedule, players="blocks:2", max_removed=2)
    assert (found.name, len(found.coalitions), found.size) == (name, count, count)
    assert len(set(found.coalitions)) == count
    for removed in found.coalitions:
        assert removed == removed_set(removed)
        assert all({4 * block, 4 * block + 3} <= set(removed) for block in {player // 4 for player in removed})


def test_exact_holds_the_windows_of_its_units() -> None:
    (exact,), (short,) = planned(schedule="exact", players="layers"), planned(schedule="windows", players="layers")
    assert set(short.coalitions) < set(exact.coalitions)
    assert exact.coalitions[0] == ()


def test_a_permutation_comes_in_rounds_and_is_bounded() -> None:
    (found,) = planned(schedule="permutation", players="layers", permutations=8)
    assert (found.name, found.in_rounds, found.size) == ("permutation of 8 walks over layers", True, 2 + 8 * 5)


def test_until_top_is_of_every_schedule_that_goes_document_by_document() -> None:
    first, second = planned(schedule=["windows", "exact"], players="kinds", until_top=1, confidence=0.9)
    assert first.until == second.until == Until(1, 0.9)
    assert first.looks
    with pytest.raises(
        CornerstoneError, match="until_top: does not work with permutation: every round needs all documents"
    ):
        planned(schedule="permutation", until_top=3)
    with pytest.raises(CornerstoneError, match="until_top: does not work with window-extrapolation: documents do not"):
        planned(schedule=["windows", "window-extrapolation"], until_top=3)


def test_until_cost_is_of_schedules_that_remove_each_unit_alone() -> None:
    for asked in ({}, {"players": "layers"}, {"schedule": ["leave-one-out", "windows"], "max_removed": 1}):
        for found in planned(**asked, until_cost=0.05, confidence=0.9):
            assert found.until == UntilCost(0.05, 0.9)
            assert found.looks
    assert charted(load_config(None, {"tasks": ["agreement"], "until_cost": -1})) == (4, None, UntilCost(-1.0, 0.95))
    for name in ("windows", "exact", "permutation", "window-extrapolation"):
        with pytest.raises(CornerstoneError, match=f"until_cost: does not work with {name}: a cost is what is lost"):
            planned(schedule=["ablation", name], until_cost=0.05)
    with pytest.raises(CornerstoneError, match="until_cost: does not work together with until_top"):
        planned(until_top=1, until_cost=0.05)
    with pytest.raises(CornerstoneError, match="until_cost: a decision holds for documents in random order"):
        planned(until_cost=0.05, order="file")
    with pytest.raises(CornerstoneError, match="until_cost: should be a finite number"):
        planned(until_cost="nan")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"players": "blocks:x"},
            "players: no grouping of players 'blocks:x'; use one of sublayers, layers, blocks:K",
        ),
        (
            {"schedule": "exakt"},
            "schedule: no schedule 'exakt'; there is windows, ablation, exact, permutation; did you mean exact",
        ),
        ({"permutations": 9}, "permutations must be an even number of 8 or more, not 9"),
        ({"permutations": 2}, "permutations must be an even number of 8 or more, not 2"),
        ({"tolerance": -1}, "tolerance must be a number of 0 or more, not -1"),
        ({"until_top": 0}, "until_top: should be greater than or equal to 1"),
        ({"confidence": 1}, "confidence: should be less than 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CornerstoneError, match=sentence):
        load_config(None, {"tasks": ["agreement"], **options})


def test_exact_is_refused_above_16_units_with_the_count() -> None:
    config = load_config(None, {"tasks": ["agreement"], "schedule": "exact"})
    with pytest.raises(CornerstoneError, match="2\\^18 = 262 144 coalitions of 18 units"):
        schedules_of(config, players_of([("attn", "ffn")] * 9))
    assert len(schedules_of(config, players_of([("attn", "ffn")] * 5))[0].coalitions) == 2**10


def test_a_configuration_survives_as_text() -> None:
    config = load_config(
        None,
        {"tasks": ["agreement"], "schedule": "permutation", "players": "layers", "tolerance": 0.5, "value": "margin"},
    )
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_players_that_split_a_unit_are_no_units() -> None:
    blocks = grouping("blocks:2", PLAYERS)
    assert units_of(blocks, ()) == ()
    assert units_of(blocks, tuple(range(4, 12))) == (1, 2)
    for players in [(0,), (0, 1, 2), (1, 2, 3), (3, 4, 5, 6, 7)]:
        assert units_of(blocks, players) is None


@pytest.mark.parametrize(("players", "top"), [("sublayers", 12), ("layers", 6), ("kinds", 5)])
def test_a_top_that_leaves_nothing_out_is_refused(players: str, top: int) -> None:
    with pytest.raises(CornerstoneError, match=f"until_top: a top {top} of .* units leaves nothing to decide"):
        planned(schedule=["windows"], players=players, until_top=top, max_removed=1)


@pytest.mark.parametrize(
    ("options", "units", "sentence"),
    [
        ({"schedule": "permutation", "permutations": 20_000}, 2000, "may need 39 980 002 coalitions of 2000 units"),
        ({"schedule": "exact"}, 60, r"exact needs all 2\^60 = 1 152 921 504 606 846 976 coalitions"),
        ({"schedule": "exact"}, 20_000, r"exact needs all 2\^20000 coalitions"),
        ({"schedule": "windows", "until_top": 10**9}, 60, "a top 1000000000 of 60 units"),
    ],
)
def test_more_coalitions_than_can_be_listed_are_refused_before_any_is(
    options: dict[str, Any], units: int, sentence: str
) -> None:
    with pytest.raises(CornerstoneError, match=sentence):
        schedules_of(load_config(None, {"tasks": ["agreement"], **options}), players_of([("attn",)] * units))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"permutations": 10**9}, "permutations may be 20000 at most, not 1000000000"),
        ({"permutations": "9" * 5000}, "permutations must be an even number of 8 or more, not '999"),
        ({"limit": 10**30}, "limit: .*less than or equal to 1000000000"),
        ({"num_fewshot": 10**9}, "num_fewshot: .*less than or equal to 10000"),
        ({"until_top": 10**12}, "until_top: .*less than or equal to 1000000000"),
        ({"max_removed": 10**40}, "max_removed must be a whole number from 1 to 8, not a number of 41 digits"),
        ({"seed": 10**40}, "seed: .*less than 9223372036854775808, not a number of 41 digits"),
        ({"memory": float("inf")}, "memory: .*not inf"),
        ({"memory": 1e300}, "memory: .*less than or equal to 1048576, not 1e"),
        ({"confidence": float("nan")}, "confidence: .*not nan"),
        ({"tolerance": float("inf")}, "tolerance must be a number of 0 or more, not inf"),
        ({"tasks": [f"t{number}" for number in range(10**5)]}, "tasks: has 100000 entries, and at most 1000"),
        ({"players": "blocks:1000000"}, "no grouping of players 'blocks:1000000'"),
        ({"value": "v" * 10**6}, "value: 'vvv.* has 1000000 characters, and at most 255"),
        ({"value": ""}, "value: should not be empty"),
        ({"model": "m" * 10**6}, "model: 'mmm.* has 1000000 characters"),
        ({"store": Path("caf\udce9")}, "store: .* is not UTF-8"),
        ({"device": "cuda:" + "9" * 100}, "device: should be"),
    ],
)
def test_every_count_and_name_of_a_run_has_a_bound(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CornerstoneError, match=sentence) as error:
        load_config(None, {"tasks": ["agreement"], **options})
    assert len(str(error.value)) < 500
